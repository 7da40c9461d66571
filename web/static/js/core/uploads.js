// The upload queue: any number of files, a few at a time. It shows nothing; the store has a photo for each file.

import { recognised } from "../model/ledger.js";
import { Restored } from "../model/restored.js";
import { filmsOfPhotos } from "../model/sniff.js";
import { ask } from "./api.js";
import { limits } from "./limits.js";
import { UNREADABLE, Upload, uuid } from "./upload.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./ledger.js").Ledger} Ledger */
/** @typedef {import("../model/ledger.js").Entry} Entry */
/** @typedef {{maxBytes: number, mediaTypes: Set<string>, typeNames: string}} Accepted */
/**
 * @typedef {object} Listeners
 * @property {(ids: string[]) => void} onAdd photos of files that were added
 * @property {(from: string, to: string) => void} onSent a file has arrived; its photo has the server's id from now on
 * @property {(ids: string[]) => void} onRemove
 * @property {(id: string, progress: number) => void} onProgress
 * @property {() => void} onChange counts have changed
 */

const FAILED = new Set(["failed", "rejected"]);

export class Uploads {
  /**
   * @param {Accepted} accepted
   * @param {Store} store
   * @param {Ledger} ledger
   * @param {Listeners} listeners
   */
  constructor(accepted, store, ledger, listeners) {
    this.accepted = accepted;
    this.store = store;
    this.ledger = ledger;
    this.listeners = listeners;
    /** @type {Upload[]} */
    this.queue = [];
    /** @type {Set<Upload>} */
    this.active = new Set();
    /** @type {Upload[]} */
    this.round = []; // accepted files since the last time that all were described
    /** @type {import("../model/batch.js").Refused[]} */
    this.refused = [];
    /** @type {{file: File, image: import("./store.js").Photo}[]} */
    this.present = []; // files that the account has already
    /** @type {Entry[]} */
    this.lost = []; // uploads of an earlier page whose files have to be chosen again
    this.restored = new Restored(); // batches that an earlier page has begun
    this.stored = Promise.resolve(); // settles when the browser keeps the files that were added last
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
    const isSettled = (/** @type {Upload} */ upload) => upload.sent && (this.store.get(upload.id)?.settled ?? true);
    const settled = this.round.filter(isSettled);
    const here = this.round.map((upload) => ({ batch: upload.batch, settled: isSettled(upload) }));
    const before = this.restored.before(here, this.lost);
    return {
      total: this.round.length + before.arrived,
      uploaded: this.round.filter((upload) => upload.sent).length + before.arrived,
      described: settled.length + before.settled,
      before: before.arrived,
      here: settled.length,
      failed: settled.filter((upload) => FAILED.has(this.store.get(upload.id)?.status ?? "")).length,
      waiting: this.round.filter((upload) => upload.stopped).length,
      elapsed: Date.now() - this.started,
      late: Date.now() - this.moved > limits.late_after_ms,
    };
  }

  /** Take over the server's counts of batches. @param {import("../model/restored.js").BatchCounts[]} counts */
  count(counts) {
    this.restored.count(counts);
    this.listeners.onChange();
  }

  /** Something has been finished: nothing is late for now. */
  move() {
    this.moved = Date.now();
  }

  /**
   * @param {File[]} files
   * @param {string[]} [unreadable] names of files that could not be read
   * @param {boolean} [anyway] also where the account has them already
   */
  async add(files, unreadable = [], anyway = false) {
    this.#begin();
    for (const name of unreadable) this.refused.push({ name, reason: UNREADABLE });
    const batch = uuid();
    const again = recognised(this.lost, files);
    this.lost = this.lost.filter((entry) => ![...again.values()].includes(entry));
    for (const { batch: known, total } of again.values()) this.restored.add(known, total);
    const films = filmsOfPhotos(files.map(({ name }) => name));
    await this.#take(files.map((file) => new Upload(file, this, batch, { entry: again.get(file), anyway, film: films.has(file.name) })));
  }

  /** Upload the files that are here already a second time. */
  async addPresent() {
    await this.add(this.present.splice(0).map(({ file }) => file), [], true);
  }

  /**
   * Continue the uploads of a page that is gone.
   * @param {Entry[]} entries
   * @param {Map<string, File>} files those that the browser kept, by the keys of the entries
   */
  async restore(entries, files) {
    this.#begin();
    for (const { batch, total } of entries) this.restored.add(batch, total);
    this.lost.push(...entries.filter(({ key }) => !files.has(key)));
    const found = entries.flatMap((entry) => {
      const file = files.get(entry.key);
      return file ? [new Upload(file, this, entry.batch, { entry })] : [];
    });
    await this.#take(found);
  }

  /** Give up the uploads whose files were not chosen again. */
  async forgetLost() {
    const lost = this.lost.splice(0);
    for (const { batch } of lost) this.#shrink(batch);
    this.listeners.onChange();
    await this.ledger.remove(lost.map(({ key }) => key));
    await Promise.all(lost.map(({ image }) => image && ask("DELETE", `/api/v1/images/${image}`).catch(() => {})));
  }

  #begin() {
    const { total, described } = this.progress;
    if (total === described && !this.busy) this.clear();
    this.started ||= Date.now();
    this.move();
  }

  /** @param {Upload[]} fresh */
  async #take(fresh) {
    this.round.push(...fresh);
    // What is refused is never drawn
    await Promise.all(fresh.map((upload) => upload.check()));
    const left = fresh.filter((upload) => this.round.includes(upload));
    const fromNow = left.filter((upload) => !this.ledger.has(upload.key));
    const files = new Map(left.map((upload) => [upload.key, upload.file]));
    this.stored = this.ledger.add(fromNow.map((upload) => upload.entry(left.length)), files);
    this.queue.push(...left);
    this.listeners.onAdd(left.map((upload) => upload.id));
    this.pump();
  }

  /** Forget the files of earlier rounds and what was refused. */
  clear() {
    this.round = [];
    this.refused = [];
    this.present = [];
    this.restored.clear();
    this.started = 0;
  }

  /** A file counts no more among those that were added together. @param {string} batch */
  #shrink(batch) {
    this.restored.shrink(batch);
    this.ledger.shrink(batch);
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
    this.#cancel([upload]);
    return true;
  }

  cancelAll() {
    this.#cancel([...this.queue, ...this.active]);
  }

  /** @param {Upload[]} uploads */
  #cancel(uploads) {
    for (const upload of uploads) upload.cancel();
    this.drop(uploads.filter((upload) => !this.active.has(upload))); // the run of the others ends, and drops them
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

  /** @param {Upload} upload which need not be continued after a reload */
  forget(upload) {
    this.ledger.remove([upload.key]);
  }

  /** @param {Upload[]} dropped */
  drop(dropped) {
    const gone = new Set(dropped);
    this.ledger.remove(dropped.map(({ key }) => key));
    for (const { batch } of dropped) this.#shrink(batch);
    this.round = this.round.filter((each) => !gone.has(each));
    this.queue = this.queue.filter((each) => !gone.has(each));
    for (const { id } of dropped) this.store.remove(id);
    this.listeners.onRemove(dropped.map(({ id }) => id));
    this.listeners.onChange();
  }
}
