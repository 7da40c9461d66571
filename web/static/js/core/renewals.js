// Asks for addresses anew whose pictures do not load: once a minute for what one request renews, however many are lost,
// and only while the page is looked at. A picture that stays lost is asked for after one, two, four and then each eight
// minutes; it keeps none of those beside it waiting.

const CALM = 60_000; // milliseconds
const LONGEST = 8 * CALM;

/** Resolves once the page is looked at. */
const inSight = () => document.hidden
  ? new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }))
  : undefined;

/** @param {number} milliseconds */
const passed = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Renewals {
  /** @type {Map<string, {at: number, done: Promise<void>, pending: boolean}>} */ #last = new Map(); // by key
  /** @type {Map<string, {at: number, calm: number}>} */ #lost = new Map(); // by the id of a picture
  #looked;

  /** @param {() => unknown} looked resolves once the page is looked at */
  constructor(looked = inSight) {
    this.#looked = looked;
  }

  /**
   * Renew the address of a picture, and what else belongs to a key.
   * @param {string} id
   * @param {string} key
   * @param {() => Promise<void>} run
   */
  async renew(id, key, run) {
    const asked = Date.now();
    const known = this.#lost.get(id);
    const before = known && asked - known.at < 2 * known.calm ? known : null; // its new address does not load either
    if (before) await passed(before.at + before.calm - asked);
    await this.#looked();
    await this.#once(key, run);
    this.#lost.set(id, { at: Date.now(), calm: before ? Math.min(2 * before.calm, LONGEST) : CALM });
  }

  /**
   * Renew what belongs to a key. Within a minute of the last time it waits for the end of that minute: a store that
   * was away may be back. Calls that wait together share one request.
   * @param {string} key
   * @param {() => Promise<void>} run
   * @returns {Promise<void>}
   */
  async #once(key, run) {
    const asked = Date.now();
    const last = this.#last.get(key);
    if (last?.pending) return last.done;
    if (last && asked - last.at < CALM) {
      await passed(last.at + CALM - asked);
      const newer = this.#last.get(key);
      if (newer && newer !== last) return newer.done;
    }
    const begun = { at: Date.now(), done: run(), pending: true };
    this.#last.set(key, begun);
    try {
      await begun.done;
    } finally {
      begun.pending = false;
    }
  }
}
