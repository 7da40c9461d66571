// Actions on many photos: each asks the API, changes the list, says in a sentence what happened, and can be undone at once.
// Loaded with the first of them.

import { chunks, merged, sizeOf, undoCalls } from "../model/bulk.js";
import { ask } from "./api.js";

/** @typedef {import("../model/selection.js").Wanted} Wanted */
/** @typedef {{action: string, ids: string[]}} Step */
/** @typedef {{results: {id: string, status: string}[], summary: string, undo: Step[], next: string | null}} Answer */
/**
 * @typedef {object} Page
 * @property {(text: string, action?: {label: string, run: () => unknown, undo?: boolean}) => void} toast
 * @property {(done: number, total: number) => void} progress
 * @property {(ids: string[]) => void} removed these photos are in the trash
 * @property {() => Promise<void>} reload the list has changed in ways that this page cannot know
 * @property {() => void} news the server has something new
 */

export class Bulk {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
  }

  /**
   * @param {string} action
   * @param {Wanted} wanted
   * @param {{tags?: string[], album?: string}} [more]
   */
  async run(action, wanted, more = {}) {
    /** @type {Step[]} */
    const undo = [];
    /** @type {string[]} */
    const sentences = [];
    const total = sizeOf(wanted);
    let done = 0;
    try {
      this.page.progress(done, total);
      for await (const answer of requests({ action, ...more }, wanted)) {
        done += answer.results.length;
        this.page.progress(Math.min(done, total - 1), total);
        undo.push(...answer.undo);
        if (answer.results.length) sentences.push(answer.summary);
        this.page.removed(answer.results.filter((each) => each.status === "trashed").map((each) => each.id));
      }
    } finally {
      this.page.progress(total, total);
      if (undo.length) {
        this.page.toast(merged(sentences), { label: "Undo", undo: true, run: () => this.undo(undo) });
      } else if (sentences.length) {
        this.page.toast(merged(sentences));
      }
      this.page.news();
      if (done && !("ids" in wanted)) await this.page.reload(); // photos that are not loaded have changed
    }
  }

  /**
   * Undo an action; after an error offer to undo the rest.
   * @param {Step[]} steps
   */
  async undo(steps) {
    const calls = undoCalls(steps);
    const sentences = [];
    try {
      for (let call = calls[0]; call; call = calls[0]) {
        sentences.push((await ask("POST", "/api/v1/bulk/undo", { body: { undo: call } })).summary);
        calls.shift();
      }
    } finally {
      if (sentences.length) this.page.toast(merged(sentences));
      const rest = calls.flat();
      if (rest.length) this.page.toast(`${left(rest)} to undo.`, { label: "Undo", undo: true, run: () => this.undo(rest) });
      this.page.news();
      if (sentences.length) await this.page.reload();
    }
  }
}

/** @param {Step[]} steps */
function left(steps) {
  const { size } = new Set(steps.flatMap(({ ids }) => ids));
  return size === 1 ? "1 photo is left" : `${size.toLocaleString("en")} photos are left`;
}

/**
 * Send the requests of an action, one after the other.
 * @param {Record<string, unknown>} body
 * @param {Wanted} wanted
 * @returns {AsyncGenerator<Answer>}
 */
async function* requests(body, wanted) {
  if ("ids" in wanted) {
    for (const ids of chunks(wanted.ids)) yield ask("POST", "/api/v1/bulk", { body: { ...body, ids } });
    return;
  }
  const listed = { ...body, query: Object.fromEntries(new URLSearchParams(wanted.query)), except: wanted.except };
  /** @type {string | null} */
  let cursor = null;
  do {
    /** @type {Answer} */
    const answer = await ask("POST", "/api/v1/bulk", { body: { ...listed, cursor } });
    cursor = answer.next;
    yield answer;
  } while (cursor !== null);
}
