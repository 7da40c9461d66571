// Live changes: one tab polls the changes feed and shares what it gets with the other tabs of the account.

import { ask, Problem } from "./api.js";
import { limits } from "./limits.js";

/**
 * @typedef {object} Changes
 * @property {string} cursor
 * @property {import("../model/rows.js").Row[]} photos
 * @property {string[]} removed
 * @property {string[]} urls
 * @property {import("../model/restored.js").BatchCounts[]} batches
 * @property {boolean} more
 */
/**
 * @typedef {object} Options
 * @property {string} name of the lock and the channel; tabs of the same account share it
 * @property {(changes: Changes) => void} onChanges
 * @property {() => Promise<string>} onReset loads everything anew; resolves to a new cursor
 * @property {(reached: boolean, error?: Error) => void} onReach
 */

const JITTER = 0.2;
const LONGEST = 30_000; // milliseconds between two polls while the server fails

export class Feed {
  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    this.cursor = "";
    this.delay = limits.first_poll_ms;
    /** @type {AbortController | null} */
    this.running = null;
    /** @type {BroadcastChannel | null} */
    this.channel = null;
    /** @type {() => void} */
    this.wake = () => {};
    document.addEventListener("visibilitychange", () => (document.hidden ? this.pause() : this.resume()));
    window.addEventListener("online", () => this.hurry());
    window.addEventListener("pagehide", () => this.pause()); // a held lock keeps a page out of the back/forward cache
    window.addEventListener("pageshow", (event) => event.persisted && this.resume());
  }

  /**
   * Listen to the other tabs. Called before the first cursor is taken, so that nothing between is missed.
   */
  listen() {
    if (this.channel || !("BroadcastChannel" in window)) return;
    this.channel = new BroadcastChannel(this.options.name);
    this.channel.addEventListener("message", ({ data }) => {
      if (this.cursor === "") return; // what is loaded later has it already, or comes again
      this.cursor = data.cursor;
      this.options.onChanges(data);
    });
  }

  /** @param {string} cursor */
  start(cursor) {
    this.cursor = cursor;
    this.resume();
  }

  pause() {
    this.running?.abort();
    this.running = null;
    this.wake();
    this.channel?.close();
    this.channel = null;
  }

  resume() {
    if (this.running || document.hidden || this.cursor === "") return;
    this.listen();
    this.delay = limits.first_poll_ms;
    this.running = new AbortController();
    const { signal } = this.running;
    if (!navigator.locks) {
      this.#poll(signal);
      return;
    }
    navigator.locks.request(this.options.name, { signal }, () => this.#poll(signal)).catch(() => {}); // aborted
  }

  /** Poll soon: this page has changed something. */
  hurry() {
    this.delay = limits.first_poll_ms;
    this.wake();
  }

  /** @param {AbortSignal} signal */
  async #poll(signal) {
    let first = true;
    while (!signal.aborted) {
      if (!first) await this.#wait(signal);
      first = false;
      if (signal.aborted) return;
      try {
        await this.#ask(signal);
        this.options.onReach(true);
      } catch (error) {
        if (signal.aborted) return;
        await this.#failed(/** @type {Error} */ (error));
      }
    }
  }

  /** @param {AbortSignal} signal */
  async #ask(signal) {
    /** @type {Changes} */
    const changes = await ask("GET", `/api/v1/changes?since=${encodeURIComponent(this.cursor)}`, { signal });
    const news = changes.photos.length + changes.removed.length > 0;
    this.cursor = changes.cursor;
    if (news) {
      this.delay = limits.first_poll_ms;
      this.channel?.postMessage(changes);
      this.options.onChanges(changes);
    } else {
      this.delay = Math.min(this.delay * 1.4, limits.slowest_poll_ms);
    }
    if (changes.more) await this.#ask(signal);
  }

  /** @param {Error} error */
  async #failed(error) {
    if (error instanceof Problem && [403, 410, 422].includes(error.status)) {
      // The cursor is too old, or of another account
      try {
        this.cursor = await this.options.onReset();
        return;
      } catch { /* tried again with the next poll */ }
    }
    this.delay = Math.min(this.delay * 2, LONGEST);
    this.options.onReach(false, error);
  }

  /** @param {AbortSignal} signal */
  #wait(signal) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.wake = () => {};
        resolve(undefined);
      };
      const timer = setTimeout(done, this.delay * (1 + JITTER * (2 * Math.random() - 1)));
      this.wake = done;
      signal.addEventListener("abort", done, { once: true });
    });
  }
}
