// The list that the page shows: its sections, loaded from the timeline and kept up to date by the changes feed.

import { photoOf, precedes } from "../model/rows.js";
import { Sections } from "../model/sections.js";
import { ask, Problem } from "./api.js";
import { Renewals } from "./renewals.js";
import { aspect } from "./store.js";

/** @typedef {import("./store.js").Photo} Photo */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("../model/sections.js").Section} Section */
/** @typedef {import("./feed.js").Changes} Changes */
/**
 * @typedef {object} Page
 * @property {string} month
 * @property {Photo[]} photos
 * @property {string | null} cursor
 * @property {number} moves those that had happened when it was asked for
 */
/**
 * @typedef {object} Stay how a list that is loaded anew keeps what a person looks at
 * @property {() => Iterable<string>} [looked] ids of photos whose pages are loaded before the list changes
 * @property {(change: () => void) => void} [around] called with the change of the list
 */

export const ADDED = "added"; // the key of the section with the files of this page
const PAGE = 500;
const FIRST_PAGE = 100; // fills the window soon; the next pages come while it is looked at
const RENEWED = 100; // photos whose addresses are asked for at once, as many as the API lists by their ids
const FIRST_OF_MONTH = 200; // a page of 500 costs a slow phone a frame of 50 ms

export class Library {
  /**
   * @param {Store} store
   * @param {(row: {id: string, status?: string}) => boolean} sending whether its file is still on its way from this page
   */
  constructor(store, sending, renewals = new Renewals()) {
    this.store = store;
    this.sending = sending;
    this.renewals = renewals;
    this.query = new URLSearchParams();
    this.lists = 0; // that were loaded, the shown one among them
    /** @type {string[]} */
    this.added = []; // ids of the section ADDED
    // Tiles of new photos are square, so that they keep their size when the photo is decoded
    this.sections = new Sections((id, key) => (key === ADDED ? 1 : aspect(store.get(id))));
    /** @type {AbortController | null} */
    this.searching = null;
    /** @type {Promise<unknown>} */
    this.opening = Promise.resolve(); // the newest list that was asked for
    this.uncounted = false; // photos have come into months that are not loaded
    /** @type {Map<string, Photo>} */
    this.ends = new Map(); // the last photo of each month's last page, also where it is deleted since
    /** @type {Set<string>} */
    this.unloaded = new Set(); // ids of photos that come with a later page, unless it was on its way before them
    /** @type {Set<string>} */
    this.earlier = new Set(); // ids of photos that were in this list before it was loaded anew
    this.moves = 0; // of photos into a month of this list, or out of the list
    /** @type {Map<string, {move: number, month: string | null}>} */
    this.moved = new Map(); // by id, the last one since the list was loaded: pages that were on their way do not know of it
  }

  get filtered() {
    return this.query.toString() !== "";
  }

  /**
   * Load the list of a query. Nothing changes until the server has answered; the newest call wins.
   * @param {URLSearchParams} query
   * @param {Stay} [stay]
   */
  open(query, stay = {}) {
    this.searching?.abort();
    this.searching = new AbortController();
    const opening = this.#open(query, stay, this.searching.signal);
    this.opening = opening;
    return opening;
  }

  /**
   * Load the shown list anew, because it has changed in ways that this page cannot know. A list that is on its way goes
   * first, and is then the one to load: a person waits for it.
   * @param {Stay} [stay]
   * @returns {Promise<void>}
   */
  async reload(stay = {}) {
    for (let opening = null; opening !== this.opening;) {
      opening = this.opening;
      await opening.catch(() => {}); // reported to its caller
    }
    try {
      await this.open(this.query, stay);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "AbortError") throw error;
      await this.opening.catch(() => this.reload(stay)); // another list was asked for meanwhile
    }
  }

  /** @param {URLSearchParams} query @param {Stay} stay @param {AbortSignal} signal */
  async #open(query, { looked = () => [], around = (change) => change() }, signal) {
    const { moves } = this;
    const { months, exact } = await ask("GET", `/api/v1/timeline${suffix(query)}`, { signal });
    const pages = months[0] ? [await this.#page(months[0].month, query, { signal, limit: FIRST_PAGE })] : [];
    for (const [month, photo] of this.#lowest(looked())) {
      if (months.some((/** @type {any} */ each) => each.month === month)) await this.#loadTo(month, photo, pages, query, signal);
    }
    signal.throwIfAborted();
    around(() => {
      const arrived = this.#arrivals(moves);
      this.earlier = new Set(query.toString() === this.query.toString() ? [...this.earlier, ...this.sections.places.keys()] : []);
      this.query = query;
      this.set(months, pages);
      this.sections.counted = exact;
      for (const id of this.filtered ? [] : arrived) { // whether others match is known to the server only
        const photo = this.store.get(id);
        if (photo) this.place(photo, { known: true });
      }
      if (moves !== this.moves) this.uncounted = true;
    });
  }

  /**
   * The last one of some photos in each month that shows them.
   * @param {Iterable<string>} ids
   */
  #lowest(ids) {
    /** @type {Map<string, Photo>} */
    const found = new Map();
    for (const id of ids) {
      const key = this.sections.places.get(id)?.key ?? ADDED;
      const photo = this.store.get(id);
      const other = found.get(key);
      if (photo && key !== ADDED && (!other || precedes(other, photo))) found.set(key, photo);
    }
    return found;
  }

  /**
   * Load the pages of a month down to the place of a photo, and add them to those that are loaded.
   * @param {string} month @param {Photo} photo @param {Page[]} pages @param {URLSearchParams} query @param {AbortSignal} signal
   */
  async #loadTo(month, photo, pages, query, signal) {
    let last = pages.find((page) => page.month === month);
    while (!last || (last.cursor !== null && !(last.photos.length && precedes(photo, last.photos.at(-1))))) {
      last = await this.#page(month, query, { signal, cursor: last?.cursor });
      pages.push(last);
    }
  }

  /**
   * The ids of photos that have come into a month since a move. A list by the time of upload knows them by another month.
   * @param {number} moves
   */
  #arrivals(moves) {
    if (this.query.get("sort") === "uploaded") return [];
    return [...this.moved].flatMap(([id, { move, month }]) => (move > moves && month !== null ? [id] : []));
  }

  /**
   * Ask for the counts of months anew, where changes of photos that are not loaded have made them uncertain.
   * @returns {Promise<boolean>} false where there was no answer: the feed says that the gallery cannot be reached
   */
  async count() {
    if (!this.uncounted) return true;
    this.uncounted = false;
    const { lists, moves } = this;
    const answer = await ask("GET", `/api/v1/timeline${suffix(this.query)}`).catch((error) => {
      if (!(error instanceof Problem)) throw error;
    });
    if (lists !== this.lists) return Boolean(answer); // another list came with counts of its own
    this.uncounted ||= !answer || moves !== this.moves;
    if (answer && moves === this.moves) { // otherwise it may or may not know of the move
      this.sections.counted = answer.exact;
      this.sections.recount(answer.months.map((/** @type {any} */ each) => ({ key: each.month, count: each.count })));
    }
    return Boolean(answer);
  }

  /**
   * @param {{month: string, count: number}[]} months
   * @param {Page[]} pages
   */
  set(months, pages) {
    const wanted = months.map(({ month, count }) => ({ key: month, count }));
    if (!this.filtered && this.added.length) wanted.unshift({ key: ADDED, count: this.added.length });
    this.lists += 1;
    this.sections.set(wanted, { fresh: true });
    this.ends.clear();
    this.unloaded.clear();
    if (!this.filtered) this.sections.append(ADDED, this.added, null);
    for (const page of pages) this.take(page);
    this.moved.clear();
  }

  /**
   * Load the next page of a section.
   * @param {Section} section
   */
  async load(section) {
    const query = this.query;
    const limit = section.next === undefined ? FIRST_OF_MONTH : PAGE;
    const page = await this.#page(section.key, query, { cursor: section.next, limit });
    if (query === this.query && this.sections.get(section.key) === section) return page;
    return null; // the list is another one meanwhile
  }

  /** @param {Page} page */
  take({ month, photos, cursor, moves }) {
    const left = (/** @type {string} */ id) => {
      const last = this.moved.get(id);
      return last !== undefined && last.move > moves && last.month !== month;
    };
    const here = photos.filter(({ id }) => !left(id));
    if (here.length < photos.length) this.uncounted = true;
    for (const photo of here) this.store.put(photo);
    const ids = here.map((photo) => photo.id).filter((id) => this.store.get(id));
    const last = photos.at(-1);
    if (last) this.ends.set(month, last);
    this.sections.append(month, ids, cursor);
    for (const id of [...this.unloaded]) {
      const photo = this.store.get(id);
      if (photo?.month !== month) continue;
      this.unloaded.delete(id);
      this.place(photo, { known: true });
    }
  }

  /**
   * @param {string} month
   * @param {URLSearchParams} query
   * @param {{signal?: AbortSignal, limit?: number, cursor?: string | null | undefined}} [options]
   * @returns {Promise<Page>}
   */
  async #page(month, query, { signal, limit = PAGE, cursor } = {}) {
    const { moves } = this;
    const asked = new URLSearchParams(query);
    if (cursor) asked.set("cursor", cursor);
    asked.set("limit", String(limit));
    const answer = await ask("GET", `/api/v1/timeline/${month}?${asked}`, signal ? { signal } : {});
    const photos = answer.photos.map((/** @type {any} */ row) => photoOf(row, answer.urls));
    return { month, photos, cursor: answer.cursor, moves };
  }

  /**
   * Get a photo's addresses anew, because one has expired, and those of its neighbours, which have as well.
   * @param {string} id
   */
  async renew(id) {
    const section = this.sections.places.get(id);
    const first = section ? Math.floor(section.ids.indexOf(id) / RENEWED) * RENEWED : 0;
    await this.renewals.renew(id, section ? `${this.lists} ${section.key} ${first}` : id, async () => {
      const ids = section?.ids.slice(first, first + RENEWED) ?? [];
      const kept = [...new Set([id, ...ids])].filter((each) => this.store.get(each) && !this.store.get(each)?.local);
      if (!kept.length) return;
      const { images } = await ask("GET", `/api/v1/images?ids=${kept.slice(0, RENEWED).join(",")}`, { fresh: true });
      for (const image of images) if (this.store.get(image.id)) this.store.put(image);
    });
  }

  /**
   * Put photos of files into the section of new ones, the last first.
   * @param {string[]} ids
   */
  add(ids) {
    this.added.unshift(...[...ids].reverse());
    this.#showAdded();
  }

  /** @param {string} id @param {number} at */
  addAt(id, at) {
    this.added.splice(at, 0, id);
    this.#showAdded();
  }

  #showAdded() {
    const months = this.sections.list.filter((section) => section.key !== ADDED);
    this.sections.set([{ key: ADDED, count: this.added.length }, ...months]);
    this.sections.fill(ADDED, this.added);
  }

  /** @param {string} from @param {string} to */
  rename(from, to) {
    const at = this.added.indexOf(from);
    if (at >= 0) this.added[at] = to;
    this.sections.remove(to); // where another tab's news has put it
    this.sections.rename(from, to);
  }

  /** @param {string} id */
  remove(id) {
    this.added = this.added.filter((each) => each !== id);
    this.#leave(id);
  }

  /** @param {string} id */
  #leave(id) {
    this.#moved(id, null);
    this.unloaded.delete(id);
    this.earlier.delete(id);
    this.sections.remove(id);
  }

  /** Whether a photo is in the list, or was and may come with a page that is not loaded. @param {string} id */
  holds(id) {
    if (this.sections.places.has(id) || this.unloaded.has(id)) return true;
    const photo = this.earlier.has(id) ? this.store.get(id) : undefined;
    const section = photo?.month ? this.sections.get(photo.month) : undefined;
    if (!photo || !section || section.next === null) return false;
    const end = this.ends.get(section.key);
    return !end || precedes(end, photo);
  }

  /** @param {string} id @param {string | null} month */
  #moved(id, month) {
    this.moves += 1;
    this.moved.set(id, { move: this.moves, month });
  }

  /**
   * Put a photo where it belongs.
   * @param {Photo} photo
   * @param {{known?: boolean}} [options] known: it was in this list before
   */
  place(photo, { known = false } = {}) {
    const section = this.sections.places.get(photo.id);
    if (section?.key === ADDED) return;
    if (!photo.month) {
      this.#leave(photo.id);
      return;
    }
    if (section?.key === photo.month) {
      this.sections.touch(photo.id);
      return;
    }
    this.#moved(photo.id, photo.month);
    if (!section && this.filtered && !known) return; // whether it matches is known to the server only
    const end = this.ends.get(photo.month);
    const after = (/** @type {string} */ other) => precedes(photo, this.store.get(other));
    const placed = this.sections.insert(photo.month, photo.id, after, { paged: end !== undefined && precedes(photo, end) });
    if (!placed) {
      this.uncounted = true;
      this.unloaded.add(photo.id);
    }
  }

  /**
   * Take over the changes of the feed.
   * @param {Changes} changes
   * @returns {Photo[]} the photos that are newer than before
   */
  apply({ photos, removed, urls }) {
    for (const id of removed) {
      const counted = this.sections.places.has(id) || this.moved.get(id)?.month === null;
      if (!counted && !this.filtered) this.uncounted = true; // its month is not loaded
      this.remove(id);
      this.store.remove(id);
    }
    const newer = [];
    for (const row of photos) {
      if (this.sending(row) || (this.store.get(row.id)?.row_version ?? -1) >= row.version) continue;
      const photo = this.#placed(photoOf(/** @type {any} */ (row), urls));
      if (!this.store.put(photo)) continue; // the row of the newer version is on its way
      this.place(photo);
      newer.push(photo);
    }
    this.sections.layOut();
    return newer;
  }

  /**
   * Give a photo of the feed its place in a list by the time of upload: the feed has the time by which others are ordered.
   * @param {Photo} photo
   * @returns {Photo}
   */
  #placed(photo) {
    const { month, uploaded } = photo;
    if (!month || !uploaded || this.query.get("sort") !== "uploaded") return photo;
    return { ...photo, at: uploaded, month: uploaded.slice(0, 7) }; // as 2026-11
  }
}

/** @param {URLSearchParams} query */
const suffix = (query) => (query.toString() ? `?${query}` : "");
