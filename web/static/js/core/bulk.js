// Actions on many photos: each asks the API, changes the list, says in a sentence what happened, and can be undone at once.
// Loaded with the first of them.

import { merged, namesOf, restOf, sizeOf, undoCalls } from "../model/bulk.js";
import { ask, worthAnother } from "./api.js";
import { fail } from "./guard.js";

/** @typedef {import("../model/bulk.js").Rest} Rest */
/** @typedef {{action: string, ids: string[]}} Step */
/** @typedef {{results: {id: string, status: string}[], summary: string, undo: Step[], next: string | null}} Answer */
/** @typedef {{undo: Step[], sentences: string[], dismiss: () => void}} Past what was done before an error, and its message */
/**
 * @typedef {object} Page
 * @property {(text: string, action?: {label: string, run: () => unknown, undo?: boolean}) => (() => void)} toast returns what
 *   dismisses it
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
   * Send the requests of an action, one after the other; after an error offer to continue. What was done before and what
   * the continued action has done can be undone at once.
   * @param {string} action
   * @param {Rest} wanted
   * @param {{tags?: string[], album?: string}} [more]
   * @param {Past | null} [past] these photos are what an error has left
   */
  async run(action, wanted, more = {}, past = null) {
    /** @type {Past} */
    const all = past ?? { undo: [], sentences: [], dismiss() {} };
    const { undo, sentences } = all;
    const total = sizeOf(wanted);
    let done = 0;
    /** @type {Rest | null} */
    let rest = wanted;
    try {
      this.page.progress(done, total);
      while (rest) {
        /** @type {Answer} */
        const answer = await ask("POST", "/api/v1/bulk", { body: { action, ...more, ...namesOf(rest) } });
        rest = restOf(rest, answer);
        done += answer.results.length;
        this.page.progress(Math.min(done, total - 1), total);
        undo.push(...answer.undo);
        if (answer.results.length) sentences.push(answer.summary);
        this.page.removed(answer.results.filter((each) => each.status === "trashed").map((each) => each.id));
      }
    } finally {
      this.page.progress(total, total);
      all.dismiss();
      all.dismiss = this.#said(all);
      if (rest && (past || rest !== wanted)) this.#offer(action, rest, more, all);
      this.page.news();
      if (done && !("ids" in wanted)) await this.#reload(); // photos that are not loaded have changed
    }
  }

  /** Show what was done, with an Undo; what is undone is not offered again. @param {Past} past */
  #said({ undo, sentences }) {
    if (sentences.length === 0) return () => {};
    const run = () => {
      sentences.length = 0;
      return this.undo(undo.splice(0));
    };
    return this.page.toast(merged(sentences), undo.length ? { label: "Undo", undo: true, run } : undefined);
  }

  /** Load the list anew; its error is reported apart, because it must not hide that of the action. */
  async #reload() {
    await this.page.reload().catch(fail);
  }

  /**
   * Offer what an error has left of an action.
   * @param {string} action @param {Rest} rest @param {{tags?: string[], album?: string}} more @param {Past} past
   */
  #offer(action, rest, more, past) {
    const exact = "ids" in rest || (rest.exact && rest.except.length === 0);
    const run = () => this.run(action, rest, more, past);
    this.page.toast(exact ? `${left(sizeOf(rest))}.` : "Other photos are left.", { label: "Continue", run });
  }

  /**
   * Undo an action; after an error offer to undo the rest, without the request that cannot succeed.
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
    } catch (error) {
      if (!worthAnother(error)) calls.shift();
      throw error;
    } finally {
      if (sentences.length) this.page.toast(merged(sentences));
      const rest = calls.flat();
      const { size } = new Set(rest.flatMap(({ ids }) => ids));
      if (size) this.page.toast(`${left(size)} to undo.`, { label: "Undo", undo: true, run: () => this.undo(rest) });
      this.page.news();
      if (sentences.length) await this.#reload();
    }
  }
}

/** @param {number} count */
const left = (count) => (count === 1 ? "1 photo is left" : `${count.toLocaleString("en")} photos are left`);
