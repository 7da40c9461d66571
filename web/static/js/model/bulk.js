// The requests of an action on many photos, and what their answers say together. Pure.

import { AT_ONCE } from "./selection.js";

/**
 * What is left of an action: named photos, or those of a list from a cursor on.
 * @typedef {import("./selection.js").Named | (import("./selection.js").Listed & {cursor?: string})} Rest
 */

/** @template T @param {T[]} list @param {number} [size] @returns {T[][]} */
export function chunks(list, size = AT_ONCE) {
  const found = [];
  for (let at = 0; at < list.length; at += size) found.push(list.slice(at, at + size));
  return found;
}

/** How many photos an action works on. @param {Rest} wanted */
export const sizeOf = (wanted) => ("ids" in wanted ? wanted.ids.length : Math.max(0, wanted.total - wanted.except.length));

/** The members of a request that name the next photos. @param {Rest} rest */
export function namesOf(rest) {
  if ("ids" in rest) return { ids: rest.ids.slice(0, AT_ONCE) };
  const { except, cursor = null } = rest;
  return { query: Object.fromEntries(new URLSearchParams(rest.query)), except, cursor };
}

/**
 * What is left once a request is answered, or null.
 * @param {Rest} rest
 * @param {{results: unknown[], next: string | null}} answer
 * @returns {Rest | null}
 */
export function restOf(rest, { results, next }) {
  if (!("ids" in rest)) return next === null ? null : { ...rest, cursor: next, total: rest.total - results.length };
  const ids = rest.ids.slice(AT_ONCE);
  return ids.length ? { ids } : null;
}

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
