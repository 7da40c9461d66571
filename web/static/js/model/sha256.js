// SHA-256 of data that arrives in pieces (FIPS 180-4); Web Crypto takes only all of it at once. Pure.

/** @param {number} count @returns {number[]} */
function primes(count) {
  /** @type {number[]} */
  const found = [];
  for (let each = 2; found.length < count; each += 1) if (found.every((prime) => each % prime)) found.push(each);
  return found;
}

/** The first 32 bits of the fraction of a number. @param {number} value */
const fraction = (value) => ((value - Math.floor(value)) * 2 ** 32) | 0;

const FIRST = primes(64);
const START = FIRST.slice(0, 8).map((prime) => fraction(prime ** 0.5));
const K = Int32Array.from(FIRST, (prime) => fraction(Math.cbrt(prime)));
const BLOCK = 64; // bytes

export class Sha256 {
  #state = Int32Array.from(START);
  #words = new Int32Array(64);
  #rest = new Uint8Array(BLOCK);
  #held = 0; // bytes in #rest
  #length = 0; // bytes in all

  /** @param {Uint8Array} data */
  update(data) {
    this.#length += data.length;
    let at = 0;
    if (this.#held) {
      at = Math.min(BLOCK - this.#held, data.length);
      this.#rest.set(data.subarray(0, at), this.#held);
      this.#held += at;
      if (this.#held < BLOCK) return this;
      this.#compress(this.#rest, 0);
      this.#held = 0;
    }
    for (; at + BLOCK <= data.length; at += BLOCK) this.#compress(data, at);
    this.#rest.set(data.subarray(at));
    this.#held = data.length - at;
    return this;
  }

  /** @returns {string} 64 hexadecimal digits; the object is used up */
  hex() {
    const bits = this.#length * 8;
    const padding = new Uint8Array(((this.#held < 56 ? 56 : 120) - this.#held) + 8);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(padding.length - 4, bits >>> 0);
    this.update(padding);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** @param {Uint8Array} data @param {number} at */
  #compress(data, at) {
    const w = this.#words;
    const s = this.#state;
    for (let i = 0; i < 16; i += 1) {
      const from = at + 4 * i;
      w[i] = (num(data, from) << 24) | (num(data, from + 1) << 16) | (num(data, from + 2) << 8) | num(data, from + 3);
    }
    for (let i = 16; i < 64; i += 1) {
      const x = num(w, i - 15);
      const y = num(w, i - 2);
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (num(w, i - 16) + s0 + num(w, i - 7) + s1) | 0;
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = s;
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + num(K, i) + num(w, i)) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) s[i] = (num(s, i) + value) | 0;
  }
}

/** @param {Uint8Array | Int32Array} array @param {number} at */
const num = (array, at) => /** @type {number} */ (array[at]);
