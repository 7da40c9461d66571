// The upload queue: any number of files, a few at a time. It shows nothing; the store has a photo for each file.

import { fileSize } from "../model/size.js";
import { foreignName, mediaType } from "../model/sniff.js";
import { ask, Problem } from "./api.js";
import { foreignFormats } from "./foreign.js";
import { limits } from "./limits.js";
import { SendError, send } from "./send.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Photo} Photo */
/** @typedef {{maxBytes: number, mediaTypes: Set<string>, typeNames: string}} Accepted */
/**
 * @typedef {object} Listeners
 * @property {(ids: string[]) => void} onAdd photos of files that were added
 * @property {(from: string, to: string) => void} onSent a file has arrived; its photo has the server's id from now on
 * @property {(id: string) => void} onRemove
 * @property {(id: string, progress: number) => void} onProgress
 * @property {() => void} onChange counts have changed
 */

class Refused extends Error {}

let number = 0;

export class Uploads {
  /**
   * @param {Accepted} accepted
   * @param {Store} store
   * @param {Listeners} listeners
   */
  constructor(accepted, store, listeners) {
    this.accepted = accepted;
    this.store = store;
    this.listeners = listeners;
    /** @type {Upload[]} */
    this.queue = [];
    /** @type {Set<Upload>} */
    this.active = new Set();
    /** @type {Upload[]} */
    this.round = []; // accepted files since the last time that all were described
    /** @type {import("../model/batch.js").Refused[]} */
    this.refused = [];
    this.paused = false;
    this.started = 0;
    this.moved = Date.now();
  }

  get busy() {
    return this.queue.length + this.active.size > 0;
  }

  /**
   * Whether this page knows more of an image than the server: its file is being sent, or has just arrived.
   * @param {{id: string, status?: string}} row
   */
  owns({ id, status }) {
    if (status === "awaiting" && this.find(id)?.sent) return true;
    return [...this.active].some((upload) => upload.image?.id === id);
  }

  /** @returns {import("../model/batch.js").Progress} */
  get progress() {
    const described = this.round.filter((upload) => upload.sent && (this.store.get(upload.id)?.settled ?? true)).length;
    return {
      total: this.round.length,
      uploaded: this.round.filter((upload) => upload.sent).length,
      described,
      waiting: this.round.filter((upload) => upload.stopped).length,
      elapsed: Date.now() - this.started,
      late: Date.now() - this.moved > limits.late_after_ms,
    };
  }

  /** Something has been finished: nothing is late for now. */
  move() {
    this.moved = Date.now();
  }

  /**
   * @param {File[]} files
   * @param {string[]} [unreadable] names of files that could not be read
   */
  async add(files, unreadable = []) {
    const { total, described } = this.progress;
    if (total === described && !this.busy) this.clear();
    this.started ||= Date.now();
    this.move();
    for (const name of unreadable) this.refused.push({ name, reason: UNREADABLE });
    const batch = uuid();
    /** @type {Upload[]} */
    const fresh = [];
    for (const file of files) {
      const upload = new Upload(file, this, batch);
      this.round.push(upload);
      fresh.push(upload);
    }
    // What is refused is never drawn
    await Promise.all(fresh.map((upload) => upload.check()));
    const left = fresh.filter((upload) => this.round.includes(upload));
    this.queue.push(...left);
    this.listeners.onAdd(left.map((upload) => upload.id));
    this.pump();
  }

  /** Forget the files of earlier rounds and what was refused. */
  clear() {
    this.round = [];
    this.refused = [];
    this.started = 0;
  }

  /** Stop taking files from the queue, until `resume`. */
  pause() {
    this.paused = true;
    this.listeners.onChange();
  }

  resume() {
    this.paused = false;
    for (const upload of this.round) if (upload.signedOut) this.again(upload.id);
    this.pump();
  }

  /** Try again every upload that was interrupted. */
  againAll() {
    for (const upload of this.round.filter((each) => each.stopped)) this.again(upload.id);
  }

  /** @param {string} id @returns {boolean} whether it is an upload of this page */
  again(id) {
    const upload = this.find(id);
    if (!upload?.stopped) return false;
    upload.reset();
    this.queue.push(upload);
    this.pump();
    return true;
  }

  /** @param {string} id @returns {boolean} whether it is an upload of this page */
  cancel(id) {
    const upload = this.find(id);
    if (!upload || upload.sent) return false;
    upload.cancel();
    return true;
  }

  cancelAll() {
    for (const upload of [...this.queue, ...this.active]) upload.cancel();
  }

  /** @param {string} id */
  find(id) {
    return this.round.find((upload) => upload.id === id);
  }

  pump() {
    while (!this.paused && this.active.size < limits.parallel_uploads) {
      const upload = this.queue.shift();
      if (!upload) break;
      this.active.add(upload);
      upload.run().finally(() => {
        this.active.delete(upload);
        this.pump();
      });
    }
    this.listeners.onChange();
  }

  /** @param {Upload} upload */
  drop(upload) {
    this.round = this.round.filter((each) => each !== upload);
    this.queue = this.queue.filter((each) => each !== upload);
    this.store.remove(upload.id);
    this.listeners.onRemove(upload.id);
    this.listeners.onChange();
  }
}

const UNREADABLE = "It cannot be read. Is it a folder, or has it been moved?";

class Upload {
  /**
   * @param {File} file
   * @param {Uploads} uploads
   * @param {string} batch
   */
  constructor(file, uploads, batch) {
    number += 1;
    this.id = `upload-${number}`;
    this.file = file;
    this.batch = batch;
    this.name = file.name || "Pasted photo";
    this.uploads = uploads;
    this.abort = new AbortController();
    this.sent = false;
    this.stopped = false; // a person has to decide
    this.signedOut = false;
    this.type = "";
    /** @type {Photo | null} */
    this.image = null;
    /** @type {import("./send.js").Form | null} */
    this.form = null;
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
    this.uploads.drop(this);
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
      await this.#persist();
      this.#finish();
    } catch (error) {
      this.#stop(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Request a form and send the file; try again after a lost connection, a busy storage or an expired form. */
  async #persist() {
    const { upload_retries_ms: pauses } = limits;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const form = this.form ?? (await this.#request());
        await send(form, this.file, { onProgress: (part) => this.#progress(part), signal: this.abort.signal });
        return;
      } catch (error) {
        if (error instanceof SendError && error.stale) this.#discard();
        const passing = error instanceof Problem ? error.passing : error instanceof SendError && (error.passing || error.stale);
        if (!passing || attempt >= pauses.length) throw error;
        await this.#pause(attempt, /** @type {Problem | SendError} */ (error));
      }
    }
  }

  async #request() {
    const body = { name: this.name, size: this.file.size, type: this.type, batch: this.batch };
    const { image, form } = await ask("POST", "/api/v1/uploads", { body, signal: this.abort.signal });
    this.image = image;
    this.form = form;
    return form;
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
    // A version of its own: any row of the server is newer
    store.put({ ...this.image, file: this.file, version: 0, status: "waiting", status_text: "Waiting", message: null });
    listeners.onSent(from, this.id);
    store.remove(from);
    listeners.onChange();
  }

  /** @param {Error} error */
  #stop(error) {
    if (error.name === "AbortError") {
      this.#discard();
      this.uploads.drop(this);
      return;
    }
    if (error instanceof Problem && !error.passing && error.status !== 401) {
      this.#discard();
      this.#refuse(error.message);
      return;
    }
    this.stopped = true;
    this.signedOut = error instanceof Problem && error.status === 401;
    this.show("interrupted", "Interrupted", error.message);
    this.uploads.listeners.onChange();
  }

  reset() {
    this.stopped = this.signedOut = false;
    this.show("queued", "Queued");
  }

  cancel() {
    this.abort.abort();
    if (this.uploads.active.has(this)) return; // run() ends it
    this.#discard();
    this.uploads.drop(this);
  }

  /** Delete the image whose file will not be uploaded. */
  #discard() {
    if (this.image === null) return;
    ask("DELETE", `/api/v1/images/${this.image.id}`).catch(() => {}); // if this fails, the image expires by itself
    this.image = this.form = null;
  }
}

/** The id of a batch. crypto.randomUUID exists in secure contexts only. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40; // RFC 9562, version 4
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
