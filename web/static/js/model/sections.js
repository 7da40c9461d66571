// The sections of the timeline, their photos and their places. Pure: it knows no document.

import { above, closest, estimate, firstWhere, justify, within } from "./layout.js";

/** @typedef {import("./layout.js").Box} Box */
/** @typedef {import("./layout.js").Measure} Measure */

export const HEADING = 48; // pixels above the tiles of each section
export const SPACE = 24; // between sections

/**
 * One heading with its photos. `ids` are the loaded ones, in order; `count` says how many there are.
 * @typedef {object} Section
 * @property {string} key a month as 2026-11, or another name
 * @property {number} count
 * @property {string[]} ids
 * @property {string | null | undefined} next the cursor of the next page, a place that stays when photos come or go; undefined: nothing is loaded yet
 * @property {Box[]} boxes
 * @property {number} top
 * @property {number} height
 * @property {boolean} stale whether its boxes have to be computed anew
 */

/** @typedef {{section: Section, index: number}} Place */

export class Sections {
  #changing = false; // whether they are laid out later, once for many changes

  /** @param {(id: string, key: string) => number} aspect of a photo in the section of a key */
  constructor(aspect) {
    this.aspect = aspect;
    /** @type {Section[]} */
    this.list = [];
    /** @type {Measure} */
    this.measure = { width: 1000, target: 200, gap: 4, below: 0 };
    this.height = 0;
    /** @type {Map<string, Section>} of each loaded id */
    this.places = new Map();
    this.counted = true; // false where the counts that the server gave are upper bounds
  }

  /** Whether the counts are known, because the server gave them or all photos are loaded. */
  get exact() {
    return this.counted || this.list.every((section) => section.next === null);
  }

  get total() {
    return this.list.reduce((sum, section) => sum + section.count, 0);
  }

  /** The ids of all loaded photos, in order. */
  get ids() {
    return this.list.flatMap((section) => section.ids);
  }

  /**
   * Set the sections and their counts; those with the same key keep their photos.
   * @param {{key: string, count: number}[]} wanted
   * @param {{fresh?: boolean}} [options] fresh: keep nothing
   */
  set(wanted, { fresh = false } = {}) {
    const old = new Map(fresh ? [] : this.list.map((section) => [section.key, section]));
    this.list = wanted.map(({ key, count }) => {
      const known = old.get(key);
      return known ? Object.assign(known, { count, stale: known.stale || count !== known.count }) : make(key, count);
    });
    this.places.clear();
    for (const section of this.list) for (const id of section.ids) this.places.set(id, section);
    this.layOut();
  }

  /** @param {string} key */
  get(key) {
    return this.list.find((section) => section.key === key);
  }

  /**
   * Append a page of photos to a section.
   * @param {string} key
   * @param {string[]} ids
   * @param {string | null} next
   */
  append(key, ids, next) {
    const section = this.get(key);
    if (!section) return;
    for (const id of ids) {
      if (this.places.has(id)) continue;
      section.ids.push(id);
      this.places.set(id, section);
    }
    section.stale = true;
    section.next = next;
    if (next === null) section.count = section.ids.length;
    if (section.count === 0) this.list.splice(this.list.indexOf(section), 1);
    this.layOut();
  }

  /**
   * Set all photos of a section.
   * @param {string} key
   * @param {string[]} ids
   */
  fill(key, ids) {
    const section = this.get(key);
    if (!section) return;
    for (const id of section.ids) this.places.delete(id);
    section.ids = [];
    section.count = ids.length;
    this.append(key, ids, null);
  }

  /**
   * Put a photo into a section, in front of the first one that `after` is true for. Returns false where it comes
   * with a page of the section that is not loaded yet: whether `count` has it already is known to the server only.
   * @param {string} key
   * @param {string} id
   * @param {(other: string) => boolean} after
   * @param {{paged?: boolean}} [options] paged: it stands above the end of the loaded pages, whose last photos may be deleted
   */
  insert(key, id, after, { paged = false } = {}) {
    this.remove(id);
    let section = this.get(key);
    if (!section) {
      section = make(key, 0);
      section.next = null;
      // Months are ordered from the newest; sections with other names stay first
      const at = this.list.findIndex((each) => /^\d/.test(each.key) && each.key < key);
      this.list.splice(at < 0 ? this.list.length : at, 0, section);
    }
    const found = section.ids.findIndex(after);
    if (section.next === undefined || (found < 0 && section.next !== null && !paged)) return false;
    section.count += 1;
    section.ids.splice(found < 0 ? section.ids.length : found, 0, id);
    section.stale = true;
    this.places.set(id, section);
    this.layOut();
    return true;
  }

  /**
   * Correct the counts of sections that are not loaded to their end. Others keep theirs.
   * @param {{key: string, count: number}[]} known
   */
  recount(known) {
    const counts = new Map(known.map(({ key, count }) => [key, count]));
    for (const section of this.list) {
      if (section.next === null) continue;
      section.count = Math.max(section.ids.length, counts.get(section.key) ?? 0);
      section.stale = true;
    }
    this.list = this.list.filter((section) => section.count > 0);
    this.layOut();
  }

  /** @param {string} id */
  remove(id) {
    const section = this.places.get(id);
    if (!section) return;
    this.places.delete(id);
    section.ids.splice(section.ids.indexOf(id), 1);
    section.stale = true;
    section.count = Math.max(section.count - 1, section.ids.length);
    if (section.count === 0) this.list.splice(this.list.indexOf(section), 1);
    this.layOut();
  }

  /**
   * A photo has another id from now on; its place stays.
   * @param {string} from
   * @param {string} to
   */
  rename(from, to) {
    const section = this.places.get(from);
    if (!section) return;
    section.ids[section.ids.indexOf(from)] = to;
    this.places.delete(from);
    this.places.set(to, section);
  }

  /** A photo's size has become known. @param {string} id */
  touch(id) {
    const section = this.places.get(id);
    if (section) section.stale = true;
  }

  /** @param {Measure} measure */
  resize(measure) {
    this.measure = measure;
    for (const section of this.list) section.stale = true;
    this.layOut();
  }

  /**
   * Make any number of changes, and compute the places once. Until then no places can be read.
   * @param {() => void} run
   */
  change(run) {
    this.#changing = true;
    try {
      run();
    } finally {
      this.#changing = false;
    }
    this.layOut();
  }

  /** Compute the places of sections that have changed. */
  layOut() {
    if (this.#changing) return;
    let top = 0;
    for (const section of this.list) {
      if (section.stale) this.#place(section);
      section.top = top;
      top += section.height + SPACE;
    }
    this.height = Math.max(0, top - SPACE);
  }

  /** @param {Section} section */
  #place(section) {
    const { boxes, height } = justify(section.ids.map((id) => this.aspect(id, section.key)), this.measure);
    const rest = section.count - section.ids.length;
    const unknown = rest > 0 ? estimate(rest, this.measure) : 0;
    section.boxes = boxes;
    section.height = HEADING + height + (height && unknown ? this.measure.gap : 0) + unknown;
    section.stale = false;
  }

  /**
   * What touches the strip between two heights: sections, and of each the range of its tiles.
   * @param {number} top
   * @param {number} bottom
   * @returns {{section: Section, first: number, end: number}[]}
   */
  visible(top, bottom) {
    const start = firstWhere(this.list, (section) => section.top + section.height > top);
    const found = [];
    for (const section of this.list.slice(start)) {
      if (section.top >= bottom) break;
      const offset = section.top + HEADING;
      const [first, end] = within(section.boxes, top - offset, bottom - offset, this.measure.below);
      found.push({ section, first, end });
    }
    return found;
  }

  /**
   * The ids of ranges as `visible` returns them: those that touch the strip between two heights, and the others.
   * @param {ReturnType<Sections["visible"]>} ranges
   * @param {number} top
   * @param {number} bottom
   */
  nearest(ranges, top, bottom) {
    /** @type {string[][]} */
    const [inside = [], beside = []] = [[], []];
    for (const { section, first, end } of ranges) {
      const offset = section.top + HEADING;
      const [low, high] = within(section.boxes, top - offset, bottom - offset, this.measure.below);
      for (let at = first; at < end; at += 1) (at >= low && at < high ? inside : beside).push(section.ids[at] ?? "");
    }
    return { inside, beside };
  }

  /**
   * Whether the strip shows photos of a section that are not loaded yet.
   * @param {Section} section
   * @param {number} bottom
   */
  lacks(section, bottom) {
    if (section.next === null || section.count === 0) return false;
    const last = section.boxes.at(-1);
    const loaded = section.top + HEADING + (last ? last.y + last.height + this.measure.below : 0);
    return bottom > loaded - 1;
  }

  /**
   * The first section of which photos between two others are not loaded; undefined where all are.
   * @param {{id: string, key: string}[]} ends the two photos, and the keys of their sections
   */
  unloaded(ends) {
    const at = ends.map(({ key }) => this.list.findIndex((section) => section.key === key));
    if (at.includes(-1)) return undefined;
    const last = this.list[Math.max(...at)];
    return this.list.slice(Math.min(...at), Math.max(...at) + 1).find((section) =>
      section.next !== null && (section !== last || ends.some(({ id }) => !this.places.has(id))));
  }

  /**
   * @param {string} id
   * @returns {Place | null}
   */
  place(id) {
    const section = this.places.get(id);
    return section ? { section, index: section.ids.indexOf(id) } : null;
  }

  /**
   * The distance of a photo from the top of the timeline, in pixels; null for one that is not loaded.
   * @param {string} id
   */
  topOf(id) {
    const found = this.place(id);
    const box = found?.section.boxes[found.index];
    return found && box ? found.section.top + HEADING + box.y : null;
  }

  /**
   * How many photos are before this one, and how many there are.
   * @param {string} id
   */
  position(id) {
    const found = this.place(id);
    if (!found) return null;
    let before = found.index;
    for (const section of this.list) {
      if (section === found.section) break;
      before += section.count;
    }
    return { index: before, total: this.total };
  }

  /**
   * The loaded photo that a key leads to.
   * @param {string} id
   * @param {"left" | "right" | "up" | "down" | "first" | "last"} direction
   * @returns {string | null}
   */
  neighbour(id, direction) {
    const found = this.place(id);
    if (!found) return null;
    const { section, index } = found;
    if (direction === "first") return this.ids[0] ?? null;
    if (direction === "last") return this.ids.at(-1) ?? null;
    if (direction === "left" || direction === "right") {
      const step = direction === "left" ? -1 : 1;
      return section.ids[index + step] ?? this.#edge(section, step, null);
    }
    const step = direction === "up" ? -1 : 1;
    const next = above(section.boxes, index, step);
    if (next !== null) return section.ids[next] ?? null;
    const box = section.boxes[index];
    return this.#edge(section, step, box ? box.x + box.width / 2 : 0);
  }

  /**
   * The first or last photo of the neighbouring section; with x, the one of its nearest row that is closest.
   * @param {Section} section
   * @param {1 | -1} step
   * @param {number | null} x
   * @returns {string | null}
   */
  #edge(section, step, x) {
    if (step > 0 && section.next !== null) return null; // the photo that follows is not loaded yet
    for (let at = this.list.indexOf(section) + step; this.list[at]; at += step) {
      const next = /** @type {Section} */ (this.list[at]);
      const end = step > 0 ? 0 : next.ids.length - 1;
      if (step > 0 ? next.next === undefined : next.next !== null) return null;
      if (next.ids.length === 0) continue;
      const row = next.boxes[end]?.row ?? 0;
      const index = x === null ? end : closest(next.boxes, row, x);
      return next.ids[index ?? end] ?? null;
    }
    return null;
  }
}

/**
 * @param {string} key
 * @param {number} count
 * @returns {Section}
 */
function make(key, count) {
  return { key, count, ids: [], next: undefined, boxes: [], top: 0, height: 0, stale: true };
}
