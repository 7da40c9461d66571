// One file on its way into the gallery: checked, hashed, and sent with a form or in parts.

import { arrived, sendParts } from "../model/parts.js";
import { fileSize } from "../model/size.js";
import { foreignName, mediaType } from "../model/sniff.js";
import { ask, Problem } from "./api.js";
import { foreignFormats } from "./foreign.js";
import { hash, Unreadable } from "./hasher.js";
import { limits } from "./limits.js";
import { SendError, send, sendPart } from "./send.js";

/** @typedef {import("./store.js").Photo} Photo */
/** @typedef {import("../model/ledger.js").Entry} Entry */

export const UNREADABLE = "It cannot be read. Is it a folder, or has it been moved?";

const ENDED = new Set(["upload_ended", "not_found"]); // codes of uploads that cannot be continued

class Refused extends Error {}

/** The account has this file already, as this image. */
class Present extends Error {
  /** @param {Photo} image */
  constructor(image) {
    super("This photo is here already.");
    this.image = image;
  }
}

let number = 0;

export class Upload {
  /**
   * @param {File} file
   * @param {import("./uploads.js").Uploads} uploads
   * @param {string} batch
   * @param {{entry?: Entry | undefined, anyway?: boolean, film?: boolean}} [options] entry: what is remembered of it, to
   * continue it; film: a photo of the same name is added with it
   */
  constructor(file, uploads, batch, { entry, anyway = false, film = false } = {}) {
    number += 1;
    this.id = `upload-${number}`;
    this.key = entry?.key ?? uuid();
    this.restored = entry !== undefined; // it was begun by an earlier page
    this.file = file;
    this.batch = entry?.batch ?? batch;
    this.name = file.name || "Pasted photo";
    this.uploads = uploads;
    this.abort = new AbortController();
    this.anyway = entry?.anyway ?? anyway; // also if it is there already
    this.film = film;
    this.sent = false;
    this.stopped = false; // a person has to decide
    this.signedOut = false;
    this.type = "";
    /** @type {import("../model/hashing.js").Hashes | null} */
    this.hashes = null;
    this.expected = entry?.hashes?.sha256 ?? null; // of the file whose upload is continued
    /** @type {{id: string, status?: string} | null} */
    this.image = entry?.image ? { id: entry.image } : null;
    /** @type {import("./send.js").Form | null} */
    this.form = entry?.form ?? null;
    /** @type {import("../model/parts.js").Plan | null} */
    this.plan = null;
    /** @type {Set<number>} */
    this.done = new Set(); // numbers of the parts that have arrived
  }

  /**
   * What is remembered of it.
   * @param {number} total files that were added together
   * @returns {Entry}
   */
  entry(total) {
    const { key, name, type, batch, hashes, form, anyway } = this;
    const { size, lastModified: modified } = this.file;
    const { viewer, tab } = this.uploads.ledger;
    return { key, viewer, tab, name, size, modified, type, batch, total, added: Date.now(), hashes, image: this.image?.id ?? null, form, anyway };
  }

  /**
   * The store's photo of this file.
   * @param {string} status
   * @param {string} text
   * @param {string | null} [message]
   * @returns {Photo}
   */
  photo(status, text, message = null) {
    return {
      id: this.id,
      local: true,
      name: this.name,
      alt: `Photo ${this.name}, not uploaded yet`,
      status,
      status_text: text,
      settled: false,
      message,
      file: this.file,
      progress: 0,
    };
  }

  /** @param {string} status @param {string} text @param {string | null} [message] */
  show(status, text, message = null) {
    this.uploads.store.put(this.photo(status, text, message));
  }

  /** Refuse the file before anything is sent, or show it. */
  async check() {
    try {
      this.type = await this.#mediaType();
      this.show("queued", "Queued");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#refuse(error.message);
    }
  }

  /** @param {string} reason */
  #refuse(reason) {
    this.uploads.refused.push({ name: this.name, reason });
    this.uploads.drop([this]);
  }

  async #mediaType() {
    const { maxBytes, mediaTypes, typeNames } = this.uploads.accepted;
    if (this.file.size === 0) throw new Refused("This file is empty.");
    let bytes;
    try {
      bytes = new Uint8Array(await this.file.slice(0, 512).arrayBuffer());
    } catch {
      throw new Refused(UNREADABLE);
    }
    const type = mediaType(bytes);
    if (type === null && this.film) throw new Refused("This is the film of a Live Photo, which is not kept; its photo is added.");
    if (type === null || !mediaTypes.has(type)) {
      const foreign = foreignName(bytes, await foreignFormats());
      const what = foreign ? `This is ${foreign}, which is not accepted.` : "This is not a photo that can be shown here.";
      throw new Refused(`${what} Send ${typeNames}.`);
    }
    if (this.file.size > maxBytes) {
      throw new Refused(`This file has ${fileSize(this.file.size, Math.ceil)}; the limit is ${fileSize(maxBytes, Math.floor)}.`);
    }
    return type;
  }

  async run() {
    try {
      this.show("uploading", "Uploading");
      await this.#hash();
      await this.#persist();
      this.#finish();
    } catch (error) {
      await this.#stop(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Hash the file, so that one that is here already is found before it is sent. */
  async #hash() {
    try {
      this.hashes ??= await hash(this.file, this.abort.signal);
    } catch (error) {
      throw error instanceof Unreadable ? new Refused(UNREADABLE) : error;
    }
    if (this.expected !== null && this.expected !== this.hashes.sha256) await this.#discard(); // another file after all
    this.expected = null;
  }

  /** Send the file; try again after a lost connection, a busy storage or an expired form. */
  async #persist() {
    const { upload_retries_ms: pauses } = limits;
    for (let attempt = 0; ; attempt += 1) {
      const arrivedBefore = this.done.size;
      try {
        await this.#send();
        return;
      } catch (error) {
        const ended = error instanceof Problem && ENDED.has(error.code);
        const stale = ended || (error instanceof SendError && error.stale);
        if (ended || (stale && this.form)) await this.#discard();
        else if (stale) this.plan = null; // the storage does not know the upload, or its requests have expired
        if (this.done.size > arrivedBefore) attempt = 0; // the line is not dead
        const passing = error instanceof Problem ? error.passing : error instanceof SendError && error.passing;
        if (!(passing || stale) || attempt >= pauses.length) throw error;
        await this.#pause(attempt, /** @type {Problem | SendError} */ (error));
      }
    }
  }

  async #send() {
    const { signal } = this.abort;
    if (!this.image) await this.#request();
    else if (!this.form && !this.plan) await this.#resume(this.image.id);
    if (this.form) await send(this.form, this.file, { onProgress: (part) => this.#progress(part), signal });
    else if (this.plan) await this.#sendParts(this.plan);
    // What has become of it since it was begun does not come with the news
    if (this.restored && this.image) this.image = await ask("GET", `/api/v1/images/${this.image.id}`, { signal });
  }

  async #request() {
    const sha256 = this.hashes?.sha256;
    const { name, type, batch, anyway: again } = this;
    const body = { name, size: this.file.size, type, batch, sha256, again, parts: true };
    const { image, form, parts } = await ask("POST", "/api/v1/uploads", { body, signal: this.abort.signal });
    if (!form && !parts) {
      if (!this.restored || image.status !== "awaiting") throw new Present(image);
      this.image = image; // the page was left before it could remember the answer
      await this.#resume(image.id);
      return;
    }
    this.image = image;
    this.form = form;
    this.plan = parts ?? null;
    await this.#remember();
  }

  /**
   * Find out which parts have arrived before the page was loaded.
   * @param {string} id
   */
  async #resume(id) {
    const { parts } = await ask("GET", `/api/v1/uploads/${id}`, { signal: this.abort.signal });
    this.plan = parts;
    if (parts && this.hashes) this.done = arrived(parts, this.hashes.parts);
  }

  /** @param {import("../model/parts.js").Plan} plan */
  async #sendParts(plan) {
    const { file, done } = this;
    const { signal } = this.abort;
    const path = `/api/v1/uploads/${this.image?.id}`;
    const show = (/** @type {number} */ part) => this.#progress(Math.min(1, ((done.size + part) * plan.size) / file.size));
    await sendParts(plan, this.hashes?.parts ?? [], done, {
      request: async (first, sha256) => (await ask("POST", `${path}/parts`, { body: { first, sha256 }, signal })).parts,
      put: (request, start, end) => sendPart(request, file.slice(start, end), { onProgress: show, signal }),
      onPart: () => this.uploads.move(),
    });
    await ask("POST", `${path}/finish`, { body: {}, signal });
  }

  #remember() {
    return this.uploads.ledger.change(this.key, { image: this.image?.id ?? null, form: this.form, hashes: this.hashes, type: this.type });
  }

  /** @param {number} attempt @param {Problem | SendError} error */
  #pause(attempt, error) {
    this.show("uploading", "Trying again", error.message);
    const asked = error instanceof Problem ? 1000 * (error.retryAfter ?? 0) : 0;
    const wait = Math.min(Math.max(limits.upload_retries_ms[attempt] ?? 0, asked), limits.longest_upload_retry_ms);
    const { signal } = this.abort;
    return new Promise((resolve, reject) => {
      const stop = () => reject(new DOMException("Cancelled", "AbortError"));
      signal.addEventListener("abort", stop, { once: true });
      const go = () => {
        signal.removeEventListener("abort", stop);
        this.show("uploading", "Uploading");
        resolve(undefined);
      };
      setTimeout(() => (navigator.onLine ? go() : window.addEventListener("online", go, { once: true, signal })), wait);
    });
  }

  /** @param {number} part from 0 to 1 */
  #progress(part) {
    this.uploads.listeners.onProgress(this.id, 100 * part);
  }

  #finish() {
    if (!this.image) return;
    const from = this.id;
    const { store, listeners } = this.uploads;
    this.uploads.move();
    this.sent = true;
    this.id = this.image.id;
    const shown = { ...this.photo("waiting", "Waiting"), ...this.image, local: false, file: this.file };
    // A version of its own: any row of the server is newer
    const news = { version: 0, status: "waiting", status_text: "Waiting", message: null };
    store.put(shown.status === "awaiting" ? { ...shown, ...news } : shown);
    listeners.onSent(from, this.id);
    store.remove(from);
    this.uploads.forget(this);
    listeners.onChange();
  }

  /** @param {Error} error */
  async #stop(error) {
    if (error.name === "AbortError") {
      await this.#discard();
      this.uploads.drop([this]);
      return;
    }
    if (error instanceof Present) {
      this.uploads.present.push({ file: this.file, image: error.image });
      this.uploads.drop([this]);
      return;
    }
    if (error instanceof Refused || (error instanceof Problem && !error.passing && !error.signedOut)) {
      await this.#discard();
      this.#refuse(error.message);
      return;
    }
    this.stopped = true;
    this.signedOut = error instanceof Problem && error.signedOut;
    this.show("interrupted", "Interrupted", error.message);
    this.uploads.listeners.onChange();
  }

  reset() {
    this.stopped = this.signedOut = false;
    this.show("queued", "Queued");
  }

  /** Stop sending. Its image is deleted, by `run` where that is not over yet. */
  cancel() {
    this.abort.abort();
    if (!this.uploads.active.has(this)) this.#discard();
  }

  /** Delete the image whose file will not be uploaded: else the file would count as on its way. */
  async #discard() {
    if (this.image === null) return;
    const { id } = this.image;
    this.image = this.form = this.plan = null;
    this.done.clear();
    await this.#remember();
    await ask("DELETE", `/api/v1/images/${id}`).catch(() => {}); // if this fails, the image expires by itself
  }
}

/** The id of a batch. crypto.randomUUID exists in secure contexts only. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40; // RFC 9562, version 4
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
