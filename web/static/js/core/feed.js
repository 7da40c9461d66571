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

/** @typedef {Changes & {since: string}} Message what the polling tab sends. since: the cursor that these changes follow */

const JITTER = 0.2;
const LONGEST = 30_000; // milliseconds between two polls while the server fails
const AGAIN = 5000; // milliseconds until a gallery that could not be reached is asked for its first cursor again

/**
 * The cursor after all that has changed until now; asks until the gallery can be reached.
 * @param {(sentence: string) => (() => void)} say returns what takes the sentence back
 * @returns {Promise<string>}
 */
export async function firstCursor(say) {
  for (let dismiss = () => {}; ;) {
    try {
      const { cursor } = await ask("GET", "/api/v1/changes");
      dismiss();
      return cursor;
    } catch (error) {
      if (!(error instanceof Problem && error.passing)) throw error;
      dismiss = say(`${error.message} This page keeps trying.`);
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }
}

/**
 * Every tab asks once when it is looked at. The tab that holds the lock then polls, and sends what it gets to the others.
 * A tab whose own cursor a message does not follow lacks changes, and asks once itself: cursors are equal as soon as
 * the last change is known.
 */
export class Feed {
  #leads = false; // whether this tab polls for the others
  #asking = false;
  #reached = true; // whether the last request was answered
  /** @type {string | null} */ #missed = null; // the cursor of a message that could not be taken over
  /** @type {Promise<unknown>} */ #ended = Promise.resolve(); // the loop of before a pause

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

  /** @param {string} cursor */
  start(cursor) {
    this.cursor = cursor;
    this.resume();
  }

  pause() {
    this.running?.abort();
    this.running = null;
    this.#leads = false;
    this.channel?.close();
    this.channel = null;
  }

  resume() {
    if (this.running || document.hidden || this.cursor === "") return;
    this.delay = limits.first_poll_ms;
    this.running = new AbortController();
    const { signal } = this.running;
    this.#join(signal);
    this.#ended = this.#ended.then(() => this.#poll(signal));
  }

  /**
   * Listen to the tab that polls, and wait to take its place. Where the browser lacks a way to do so, each tab polls.
   * @param {AbortSignal} signal
   */
  #join(signal) {
    const { name } = this.options;
    this.#leads = !navigator.locks || !("BroadcastChannel" in window);
    if (this.#leads) return;
    this.channel = new BroadcastChannel(name);
    this.channel.addEventListener("message", ({ data }) => this.#heard(data));
    const paused = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    navigator.locks.request(name, { signal }, () => {
      this.#leads = !signal.aborted;
      this.wake();
      return paused;
    }).catch(() => {}); // aborted
  }

  /** @param {Message} message */
  #heard({ since, ...changes }) {
    if (changes.cursor === this.cursor) return;
    if (since === this.cursor && !this.#asking) {
      this.cursor = changes.cursor;
      this.options.onChanges(changes);
      return;
    }
    this.#missed = changes.cursor;
    this.wake();
  }

  /** Ask soon: this page has changed something. */
  hurry() {
    this.delay = limits.first_poll_ms;
    this.wake();
  }

  /** @param {AbortSignal} signal */
  async #poll(signal) {
    while (!signal.aborted) {
      this.#missed = null;
      this.#asking = true;
      try {
        await this.#ask(signal);
        this.#reached = true;
        this.options.onReach(true);
      } catch (error) {
        if (!signal.aborted) await this.#failed(/** @type {Error} */ (error));
      } finally {
        this.#asking = false;
      }
      await this.#wait(signal);
    }
  }

  /** @param {AbortSignal} signal */
  async #ask(signal) {
    for (let more = true; more;) {
      const since = this.cursor;
      /** @type {Changes} */
      const changes = await ask("GET", `/api/v1/changes?since=${encodeURIComponent(since)}`, { signal });
      more = changes.more;
      this.cursor = changes.cursor;
      const news = changes.photos.length + changes.removed.length > 0;
      this.delay = news ? limits.first_poll_ms : Math.min(this.delay * 1.4, limits.slowest_poll_ms);
      if (this.#leads && this.cursor !== since) this.channel?.postMessage({ since, ...changes });
      if (news) this.options.onChanges(changes);
    }
  }

  /** @param {Error} error */
  async #failed(error) {
    this.#reached = false;
    if (error instanceof Problem && [403, 410, 422].includes(error.status)) {
      // The cursor is too old, or of another account
      try {
        this.cursor = await this.options.onReset();
        this.#reached = true;
        return;
      } catch { /* tried again with the next poll */ }
    }
    this.delay = Math.min(this.delay * 2, LONGEST);
    this.options.onReach(false, error);
  }

  /**
   * Wait for the time of the next request. A tab that does not poll waits until it lacks something.
   * @param {AbortSignal} signal
   */
  async #wait(signal) {
    const lacks = this.#reached && this.#missed !== null && this.#missed !== this.cursor;
    if (signal.aborted || lacks) return;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    await new Promise((resolve) => {
      this.wake = () => resolve(undefined);
      signal.addEventListener("abort", this.wake);
      if (this.#leads || !this.#reached) timer = setTimeout(this.wake, this.delay * (1 + JITTER * (2 * Math.random() - 1)));
    });
    clearTimeout(timer);
    signal.removeEventListener("abort", this.wake);
    this.wake = () => {};
  }
}
