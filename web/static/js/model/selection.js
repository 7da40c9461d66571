// The selected photos: a set of ids, or all photos of a list but for some; and the photo from which a range extends. Pure.

/**
 * What an action works on: named photos, or all that a list finds without those of `except`.
 * @typedef {{ids: string[]}} Named
 * @typedef {{query: string, except: string[], total: number, exact: boolean}} Listed query: the filters of the list
 *   and the time until which photos had arrived, as a query string; exact: whether total is not an upper bound
 * @typedef {Named | Listed} Wanted
 */

const LAST = "9999"; // after every time

export class Selection {
  /** @type {Set<string>} */ #ids = new Set(); // the selected ones, or those that are left out of the list
  /** @type {{query: string, total: number, until: string, exact: boolean} | null} */ #list = null;
  /** @type {string | null} */ #anchor = null;
  /** @type {string[]} */ #range = []; // what the last extension has added
  changes = 0; // how often a person has changed it: what waits for an answer meanwhile must not

  /** @param {(id: string) => string | undefined} uploaded when the upload of a photo ended; undefined before that */
  constructor(uploaded) {
    this.uploaded = uploaded;
  }

  get size() {
    return this.#list ? Math.max(0, this.#list.total - this.#ids.size) : this.#ids.size;
  }

  /** Whether `size` is known; else it is an upper bound. */
  get exact() {
    return this.#list?.exact ?? true;
  }

  /** The photo from which a range extends, or null. */
  get anchor() {
    return this.#anchor;
  }

  /** The filters of the list of which all photos are selected, or null. */
  get list() {
    return this.#list?.query ?? null;
  }

  /** @returns {Wanted} */
  get wanted() {
    const ids = [...this.#ids]; // in the order in which they were selected
    if (!this.#list) return { ids };
    const query = new URLSearchParams(this.#list.query);
    query.set("until", this.#list.until);
    return { query: query.toString(), total: this.#list.total, exact: this.#list.exact, except: ids };
  }

  /** @param {string} id */
  has(id) {
    return this.#list ? !this.#ids.has(id) && !this.#later(id) : this.#ids.has(id);
  }

  /** Select a photo, or take it out; ranges extend from it. @param {string} id */
  toggle(id) {
    if (this.#later(id)) throw new Error("This photo has arrived since all were selected. Select all again to include it.");
    this.changes += 1;
    if (!this.#ids.delete(id)) this.#ids.add(id);
    this.#anchor = id;
    this.#range = [];
  }

  /**
   * Select all photos of a list, also those that are not loaded.
   * @param {string} query the filters of the list
   * @param {number} total how many they find
   * @param {string} until the time of the newest upload among them
   * @param {boolean} [exact] whether these are all; else they are fewer
   */
  selectList(query, total, until, exact = true) {
    this.clear();
    this.#list = { query, total, until, exact };
  }

  /** Whether a photo has come into the list since all of it was selected. @param {string} id */
  #later(id) {
    return this.#list !== null && (this.uploaded(id) ?? LAST) > this.#list.until;
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
      this.add([id]);
      this.#anchor = id;
      return;
    }
    this.changes += 1;
    const all = order.slice(Math.min(from, to), Math.max(from, to) + 1);
    if (this.#list) {
      this.add(all);
      return;
    }
    for (const old of this.#range) this.#ids.delete(old);
    this.#range = all.filter((each) => !this.#ids.has(each));
    for (const each of all) this.#ids.add(each);
  }

  /** @param {Iterable<string>} ids */
  add(ids) {
    this.changes += 1;
    for (const id of ids) {
      if (this.#list) this.#ids.delete(id);
      else this.#ids.add(id);
    }
    this.#range = [];
  }

  /**
   * Take over a change of the list: what is not in it any more is not selected.
   * @param {(id: string) => boolean} there
   * @param {string} query its filters
   * @param {number} total
   * @param {string[]} ids the loaded ones; those that came since all were selected are not counted
   */
  keep(there, query = "", total = 0, ids = []) {
    if (this.#list && this.#list.query !== query) this.clear();
    if (this.#list) this.#list.total = Math.min(this.#list.total, total - ids.filter((id) => this.#later(id)).length);
    else for (const id of this.#ids) if (!there(id)) this.#ids.delete(id);
    if (this.#anchor !== null && !there(this.#anchor)) this.#anchor = null;
  }

  clear() {
    this.changes += 1;
    this.#ids.clear();
    this.#list = null;
    this.#anchor = null;
    this.#range = [];
  }
}

/** The most photos that one request of the API takes. */
export const AT_ONCE = 1000;
