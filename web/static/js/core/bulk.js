// Actions on many photos: each asks the API, changes the list, says in a sentence what happened, and can be undone at once.

import { chunks, undoCalls } from "../model/selection.js";
import { ask } from "./api.js";

/** @typedef {{action: string, ids: string[]}} Step */
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
   * @param {string[]} ids
   * @param {{tags?: string[], album?: string}} [more]
   */
  async run(action, ids, more = {}) {
    /** @type {Step[]} */
    const undo = [];
    /** @type {string[]} */
    const sentences = [];
    let done = 0;
    try {
      for (const some of chunks(ids)) {
        this.page.progress(done, ids.length);
        const answer = await ask("POST", "/api/v1/bulk", { body: { action, ids: some, ...more } });
        done += some.length;
        undo.push(...answer.undo);
        sentences.push(answer.summary);
        const trashed = answer.results.filter((/** @type {{status: string}} */ each) => each.status === "trashed");
        this.page.removed(trashed.map((/** @type {{id: string}} */ each) => each.id));
      }
    } finally {
      this.page.progress(ids.length, ids.length);
      if (undo.length) {
        this.page.toast(sentences.join(" "), { label: "Undo", undo: true, run: () => this.undo(undo) });
      } else if (sentences.length) {
        this.page.toast(sentences.join(" "));
      }
      this.page.news();
    }
  }

  /** @param {Step[]} steps */
  async undo(steps) {
    const sentences = [];
    for (const call of undoCalls(steps)) {
      sentences.push((await ask("POST", "/api/v1/bulk/undo", { body: { undo: call } })).summary);
    }
    this.page.toast(sentences.join(" "));
    await this.page.reload();
    this.page.news();
  }
}
