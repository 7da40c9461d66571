// The selected photos: a set of ids, and the photo from which a range extends. Pure.

export class Selection {
  /** @type {Set<string>} */ #ids = new Set();
  /** @type {string | null} */ #anchor = null;
  /** @type {string[]} */ #range = []; // what the last extension has added

  get size() {
    return this.#ids.size;
  }

  /** In the order in which they were selected. */
  get ids() {
    return [...this.#ids];
  }

  /** @param {string} id */
  has(id) {
    return this.#ids.has(id);
  }

  /** Select a photo, or take it out; ranges extend from it. @param {string} id */
  toggle(id) {
    if (!this.#ids.delete(id)) this.#ids.add(id);
    this.#anchor = id;
    this.#range = [];
  }

  /**
   * Select all from the anchor to a photo, instead of what the last extension has added.
   * @param {string} id
   * @param {string[]} order the ids of the list, as it is shown
   */
  extend(id, order) {
    const from = this.#anchor === null ? -1 : order.indexOf(this.#anchor);
    const to = order.indexOf(id);
    if (to < 0) return;
    if (from < 0) {
      this.#ids.add(id);
      this.#anchor = id;
      this.#range = [];
      return;
    }
    for (const old of this.#range) this.#ids.delete(old);
    const all = order.slice(Math.min(from, to), Math.max(from, to) + 1);
    this.#range = all.filter((each) => !this.#ids.has(each));
    for (const each of all) this.#ids.add(each);
  }

  /** @param {Iterable<string>} ids */
  add(ids) {
    for (const id of ids) this.#ids.add(id);
    this.#range = [];
  }

  /** Take out what is not in the list any more. @param {(id: string) => boolean} there */
  keep(there) {
    for (const id of this.#ids) if (!there(id)) this.#ids.delete(id);
    if (this.#anchor !== null && !there(this.#anchor)) this.#anchor = null;
  }

  clear() {
    this.#ids.clear();
    this.#anchor = null;
    this.#range = [];
  }
}

/** The most photos that one request of the API takes. */
export const AT_ONCE = 1000;

/** @template T @param {T[]} list @param {number} [size] @returns {T[][]} */
export function chunks(list, size = AT_ONCE) {
  const found = [];
  for (let at = 0; at < list.length; at += size) found.push(list.slice(at, at + size));
  return found;
}

/**
 * Divide the requests that undo an action, so that each call names at most as many photos as the API takes.
 * @param {{ids: string[]}[]} steps
 */
export const undoCalls = (steps) => steps.flatMap((step) => chunks(step.ids).map((ids) => [{ ...step, ids }]));
