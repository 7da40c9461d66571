// <photo-timeline>: the sections of the timeline as justified rows. Only what is near the window is in the document.

import { guard } from "../core/guard.js";
import { Pages } from "../core/pages.js";
import { measureOf } from "../model/layout.js";
import { Pace } from "../model/pace.js";
import { HEADING } from "../model/sections.js";
import { Sequence } from "../model/sequence.js";
import { Arrows } from "./arrows.js";
import { write } from "./dom.js";
import { keepFocus } from "./focus.js";
import { Months, order } from "./months.js";
import { Tile } from "./tile.js";

/** @typedef {import("../model/sections.js").Section} Section */
/** @typedef {import("../model/sections.js").Sections} Sections */
/** @typedef {import("../core/store.js").Store} Store */

const AHEAD = 0.7; // windows above and below that are in the document
const CALM = 120; // milliseconds between two looks for photos that are not loaded

/**
 * @typedef {object} Options
 * @property {Store} store
 * @property {Sections} sections
 * @property {(section: Section) => Promise<void>} load loads the next page of a section
 * @property {(section: Section) => string} title
 * @property {(id: string) => void} renew called with a photo whose picture does not load
 */

export class PhotoTimeline extends HTMLElement {
  /** @type {AbortController | null} */ #end = null;
  /** @type {Options | null} */ #options = null;
  /** @type {Map<string, Tile>} */ #tiles = new Map();
  /** @type {Months | null} */ #months = null;
  /** @type {string | null} */ #active = null;
  /** @type {Pages | null} */ pages = null;
  /** @type {Arrows | null} */ #arrows = null;
  #frame = 0;
  #width = 0;
  #seen = { top: 0, height: 0 }; // the part of the timeline that is in the window, as of the last drawing
  #pace = new Pace();
  #unmade = false; // whether tiles above and below the window are made later
  #density = "captions";
  #drawn = "";
  #cleared = false; // of what the server has drawn
  /** @type {Map<string, HTMLImageElement>} */ #kept = new Map(); // its pictures, until tiles show them
  /** @type {ReturnType<typeof setTimeout> | null} */ #calm = null;

  /** @param {Options} options */
  setUp(options) {
    this.#options = options;
    this.#months = new Months(this, options.sections, options.title);
    this.pages = new Pages(options.sections, options.load, () => {
      this.refresh();
      this.#loadVisible();
    });
    this.#arrows = new Arrows(this, options.sections, async (section) => this.pages?.whole(section));
    this.#measure();
    this.refresh();
  }

  connectedCallback() {
    this.#end = new AbortController();
    const { signal } = this.#end;
    window.addEventListener("scroll", () => this.refresh(), { signal, passive: true });
    const sizes = new ResizeObserver(guard(() => this.#resized()));
    sizes.observe(this);
    signal.addEventListener("abort", () => sizes.disconnect());
    window.addEventListener("resize", guard(() => this.#resized()), { signal });
    this.addEventListener("keydown", guard((event) => this.#arrows?.press(/** @type {KeyboardEvent} */ (event))), { signal });
    this.addEventListener("focusin", (event) => this.#focused(event), { signal });
    this.addEventListener("error", (event) => this.#lost(event), { signal, capture: true }); // does not bubble
  }

  disconnectedCallback() {
    this.#end?.abort();
  }

  get #given() {
    if (!this.#options) throw new Error("The timeline is not set up.");
    return this.#options;
  }

  /** @param {string} density */
  set density(density) {
    this.#density = density;
    this.dataset.density = density;
    if (!this.#options) return;
    this.keepPlace(() => this.#measure());
  }

  /** The photo that has the focus, or had it last. */
  get active() {
    return this.#active && this.#given.sections.places.has(this.#active) ? this.#active : null;
  }

  /** The element that Tab reaches: that of the active photo, or of the first in the window. */
  reached() {
    this.render();
    return this.#tiles.get(this.#active ?? "")?.frame;
  }

  #measure() {
    this.#width = this.clientWidth;
    this.#given.sections.resize(measureOf(this.#density, this.#width));
  }

  #resized() {
    if (!this.#options) return;
    if (this.clientWidth !== this.#width) this.keepPlace(() => this.#measure());
    else this.refresh();
  }

  /**
   * Change the sections, and scroll so that the photos in the window stay where they are. At the top of the page
   * new photos come into view instead. After the active photo the next one in the list is active.
   * @param {() => void} change
   */
  keepPlace(change) {
    const { sections } = this.#given;
    const { active } = this;
    const focused = this.#tiles.get(active ?? "")?.element.contains(document.activeElement);
    const scrolled = window.scrollY > HEADING;
    const seen = scrolled || focused ? this.#inWindow() : []; // which costs a layout
    const sequence = new Sequence(() => sections.ids);
    if (active) sequence.show(active);
    sections.change(change);
    const anchor = scrolled ? seen.find(({ id }) => sections.places.has(id)) : undefined;
    write(this.style, "height", `${sections.height}px`);
    if (anchor) window.scrollBy({ top: (sections.topOf(anchor.id) ?? anchor.top) - anchor.top, behavior: "instant" });
    const next = this.active === null ? sequence.step(1) ?? sequence.step(-1) : null;
    if (next) this.#activate(next);
    if (next && focused && seen.some(({ id }) => id === active)) this.show(next);
    this.refresh();
  }

  /** The photos in the window and their places. */
  #inWindow() {
    const top = window.scrollY - this.#offset();
    return this.#given.sections.visible(top, top + window.innerHeight).flatMap(({ section, first, end }) =>
      section.boxes.slice(first, end).map((box, at) => ({ id: section.ids[first + at] ?? "", top: section.top + HEADING + box.y })));
  }

  /** The photos in the window, and the one that has the focus or had it last. */
  get looked() {
    return [this.#active ?? "", ...this.#inWindow().map(({ id }) => id)];
  }

  #offset() {
    return this.getBoundingClientRect().top + window.scrollY;
  }

  /** Draw with the next frame. */
  refresh() {
    this.#frame ||= requestAnimationFrame(guard(() => this.render({ paced: true })));
  }

  /**
   * Bring the document in line with the sections and the window.
   * @param {{paced?: boolean}} [options] paced: make as many tiles as a frame has time for; others follow
   */
  render({ paced = false } = {}) {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { sections } = this.#given;
    const view = window.innerHeight;
    const top = window.scrollY - this.#offset();
    this.#pace.move(top, view, performance.now());
    this.#seen = { top, height: view }; // asked for once: after the document is changed, it costs a layout
    const shown = sections.visible(top - AHEAD * view, top + (1 + AHEAD) * view);
    const [tiles, months] = [new Set(), new Set()];
    const made = this.#choose(shown, paced && this.#cleared); // the pictures of the server are taken over at once
    const focused = shown.length ? this.#clear() : "";
    for (const { section, first, end } of shown) {
      months.add(section.key);
      const list = this.#months?.show(section);
      /** @type {Tile | undefined} */
      let before;
      for (let at = first; list && at < end; at += 1) {
        const tile = this.#draw(section, at, list, before, made);
        if (!tile) continue;
        tiles.add(section.ids[at] ?? "");
        before = tile;
      }
    }
    keepFocus(this, () => this.#drop(tiles, months), () => this.#tiles.get(this.#active ?? "")?.frame);
    if (focused) this.#tiles.get(focused)?.frame.focus({ preventScroll: true });
    this.#kept.clear();
    if (made.size) this.dispatchEvent(new CustomEvent("tiles-made"));
    if (this.#cleared) write(this.style, "height", `${sections.height}px`);
    if (this.#calm === null) {
      this.#calm = setTimeout(guard(() => {
        this.#calm = null;
        this.#loadVisible();
        if (this.#unmade) this.refresh();
      }), this.#tiles.size ? CALM : 0);
    }
    const key = shown[0]?.section.key ?? "";
    const state = `${key} ${sections.list.length} ${sections.total}`;
    if (state === this.#drawn) return;
    this.#drawn = state;
    this.dispatchEvent(new CustomEvent("timeline-drawn", { detail: key }));
  }

  /** Take out what the server has drawn, once. Returns the id of the one with the focus, or "". */
  #clear() {
    if (this.#cleared) return "";
    this.#cleared = true;
    const focused = this.contains(document.activeElement) ? document.activeElement?.closest("li") : null;
    const drawn = [...this.querySelectorAll("img")].filter((image) => !image.complete || image.naturalWidth > 0);
    for (const image of drawn) this.#kept.set(image.closest("li")?.dataset.id ?? "", image); // tiles ask for failed ones
    this.replaceChildren();
    return focused?.dataset.id ?? "";
  }

  /**
   * The photos that get a tile now.
   * @param {ReturnType<Sections["visible"]>} shown
   * @param {boolean} paced
   */
  #choose(shown, paced) {
    const { sections, store } = this.#given;
    const { top, height } = this.#seen;
    const near = sections.nearest(shown, top, top + height);
    const lacks = (/** @type {string} */ id) => !this.#tiles.has(id) && store.get(id) !== undefined;
    const [inside, beside] = [near.inside.filter(lacks), near.beside.filter(lacks)];
    if (!paced) return new Set([...inside, ...beside]);
    const { made, again } = this.#pace.choose(inside, beside, performance.now());
    this.#unmade = again === "later";
    if (again === "frame") this.refresh();
    return new Set(made);
  }

  /**
   * Place the tile of a photo. Returns undefined where it has none yet.
   * @param {Section} section @param {number} at @param {HTMLElement} list @param {Tile | undefined} before
   * @param {Set<string>} made the photos that get one
   */
  #draw(section, at, list, before, made) {
    const id = section.ids[at];
    const box = section.boxes[at];
    const photo = id === undefined ? undefined : this.#given.store.get(id);
    if (id === undefined || !box || !photo) return undefined;
    let tile = this.#tiles.get(id);
    if (!tile) {
      if (!made.has(id)) return undefined;
      tile = new Tile(id, this.#kept.get(id));
      tile.fill(photo);
      this.#tiles.set(id, tile);
      tile.reach(id === this.#active);
    }
    tile.place(box, at, section.count);
    order(list, tile.element, (before ?? this.#tiles.get(section.ids[at - 1] ?? ""))?.element);
    return tile;
  }

  /**
   * Take out of the document what is not near the window; never the element that has the focus.
   * @param {Set<string>} tiles
   * @param {Set<string>} months
   */
  #drop(tiles, months) {
    const focused = document.activeElement;
    for (const [id, tile] of this.#tiles) {
      if (tiles.has(id)) continue;
      const place = this.#given.sections.place(id);
      if (place && tile.element.contains(focused)) {
        months.add(place.section.key);
        continue;
      }
      tile.remove();
      this.#tiles.delete(id);
    }
    this.#months?.keep(months);
    this.#keepReach();
  }

  /** One tile is reached by Tab: the active one, or the first in the window. */
  #keepReach() {
    if (this.#active && this.#tiles.has(this.#active)) return;
    const { top, height } = this.#seen;
    const rows = this.#given.sections.visible(top, top + height);
    const id = rows.map(({ section, first }) => section.ids[first] ?? "").find((each) => this.#tiles.has(each));
    if (id) this.#activate(id);
  }

  /** @param {string} id */
  #activate(id) {
    if (this.#active && this.#active !== id) this.#tiles.get(this.#active)?.reach(false);
    this.#active = id;
    this.#tiles.get(id)?.reach(true);
  }

  #loadVisible() {
    const { top, height } = this.#seen;
    this.pages?.fill(top - AHEAD * height, top + (1 + AHEAD) * height);
  }

  /**
   * Show the newer data of photos.
   * @param {Iterable<string>} ids
   */
  update(ids) {
    for (const id of ids) {
      const photo = this.#given.store.get(id);
      if (photo) this.#tiles.get(id)?.fill(photo);
    }
    this.refresh();
  }

  /**
   * The photo has another id from now on: that of the server. Its tile stays.
   * @param {string} from
   * @param {string} to
   */
  rename(from, to) {
    const [tile, other] = [this.#tiles.get(from), this.#tiles.get(to)];
    if (tile && other) tile.replace(other); // the feed has brought the photo before
    if (tile) this.#tiles.set(to, tile).delete(from);
    if (this.#active === from) this.#active = to;
  }

  /** @param {string} id @param {number} progress */
  progress(id, progress) {
    this.#tiles.get(id)?.progress(progress);
  }

  /**
   * Scroll to a photo and focus it.
   * @param {string} id
   * @param {{focus?: boolean, center?: boolean}} [options]
   */
  show(id, { focus = true, center = false } = {}) {
    const { sections } = this.#given;
    const place = sections.place(id);
    const box = place?.section.boxes[place.index];
    if (!place || !box) return;
    const bar = this.#bar();
    const top = place.section.top + HEADING + box.y + this.#offset();
    const height = box.height + sections.measure.below;
    const low = window.scrollY + bar + HEADING;
    const high = window.scrollY + window.innerHeight;
    if (center) window.scrollTo({ top: top - (window.innerHeight - height) / 2, behavior: "instant" });
    else if (top < low) window.scrollTo({ top: top - bar - HEADING, behavior: "instant" });
    else if (top + height > high) window.scrollTo({ top: top + height - window.innerHeight + 8, behavior: "instant" });
    this.render();
    this.#activate(id);
    if (focus) this.#tiles.get(id)?.frame.focus({ preventScroll: true });
  }

  /**
   * Scroll to a section.
   * @param {string} key
   * @param {number} [part] of its height
   */
  showSection(key, part = 0) {
    const section = this.#given.sections.get(key);
    if (section) window.scrollTo({ top: this.#offset() + section.top + part * section.height - this.#bar(), behavior: "instant" });
  }

  #bar() {
    return Number.parseFloat(getComputedStyle(this).scrollMarginTop) || 0;
  }

  /** The key of the section at the top of the window, and how far it is scrolled, from 0 to 1. */
  get position() {
    const top = window.scrollY - this.#offset() + this.#bar() + 1;
    const section = this.#given.sections.visible(top, top + window.innerHeight)[0]?.section;
    if (!section) return null;
    return { key: section.key, part: Math.min(1, Math.max(0, (top - section.top) / Math.max(1, section.height))) };
  }

  /** @param {FocusEvent} event */
  #focused(event) {
    const card = event.target instanceof HTMLElement ? event.target.closest(".card") : null;
    this.#arrows?.moved();
    if (card instanceof HTMLElement && card.dataset.id) this.#activate(card.dataset.id);
  }

  /** @param {Event} event */
  #lost(event) {
    if (!(event.target instanceof HTMLImageElement) || !event.target.hasAttribute("src")) return;
    const id = event.target.closest(".card") instanceof HTMLElement ? /** @type {HTMLElement} */ (event.target.closest(".card")).dataset.id : "";
    const tile = this.#tiles.get(id ?? "");
    if (!tile || !id) return;
    tile.lose();
    this.#given.renew(id);
  }
}

customElements.define("photo-timeline", PhotoTimeline);
