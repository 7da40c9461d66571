// The requests of an action on many photos, and what their answers say together. Pure.

import { AT_ONCE } from "./selection.js";

/** @typedef {import("./selection.js").Wanted} Wanted */

/** @template T @param {T[]} list @param {number} [size] @returns {T[][]} */
export function chunks(list, size = AT_ONCE) {
  const found = [];
  for (let at = 0; at < list.length; at += size) found.push(list.slice(at, at + size));
  return found;
}

/** How many photos an action works on. @param {Wanted} wanted */
export const sizeOf = (wanted) => ("ids" in wanted ? wanted.ids.length : Math.max(0, wanted.total - wanted.except.length));

/**
 * The summaries of several requests as one: "1,000 changed." and "5 changed, 1 is not yours." are "1,005 changed, 1 is not yours."
 * @param {string[]} sentences
 */
export function merged(sentences) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const sentence of sentences) {
    for (const part of sentence.replace(/\.$/, "").split(/,(?= )/)) {
      const found = /^([\d,]+) (.+)$/.exec(part.trim());
      if (found) counts.set(found[2] ?? "", (counts.get(found[2] ?? "") ?? 0) + Number(found[1]?.replaceAll(",", "")));
    }
  }
  if (counts.size === 0) return sentences[0] ?? "";
  return `${[...counts].map(([words, count]) => `${count.toLocaleString("en")} ${words}`).join(", ")}.`;
}

/**
 * Divide the requests that undo an action, so that each call names at most as many photos as the API takes.
 * @template {{ids: string[]}} T
 * @param {T[]} steps
 */
export const undoCalls = (steps) => steps.flatMap((step) => chunks(step.ids).map((ids) => [{ ...step, ids }]));
