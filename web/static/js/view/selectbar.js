// <select-bar>: what is selected, and what can be done with it; and how photos are selected in the timeline.

import { Problem } from "../core/api.js";
import { guard } from "../core/guard.js";
import { Late } from "../core/late.js";
import { AT_ONCE, Selection } from "../model/selection.js";
import { atMost, button, element, numberText, stylesheet } from "./dom.js";
import { keepFocus } from "./focus.js";

/** @typedef {"left" | "right" | "up" | "down" | "first" | "last"} Direction */
/**
 * @typedef {object} Options
 * @property {import("./timeline.js").PhotoTimeline} timeline
 * @property {import("../model/sections.js").Sections} sections
 * @property {Late<import("../core/bulk.js").Bulk>} bulk
 * @property {(id: string) => boolean} holds whether a photo is in the list, also where its page is not loaded
 * @property {(id: string) => boolean} selectable
 * @property {(id: string) => string | undefined} uploaded when the upload of a photo ended; undefined before that
 * @property {(id: string) => string} month of a photo, also where its page is not loaded
 * @property {() => string} query the filters of the list, as a query string
 * @property {(query: string) => Promise<{total: number, exact: boolean, until: string | null}>} newest how many photos the list
 *   of a query has, at most, and the time of the newest upload among them
 * @property {HTMLFormElement} form carries the token of forms
 */

const LISTED = 10_000; // photos of a list in a share link or a download
const PRESS = 500; // milliseconds until a touch selects
/** @type {Record<string, Direction>} */
const ARROWS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };

export class SelectBar extends HTMLElement {
  selection = new Selection((id) => this.#options?.uploaded(id));
  /** @type {Options | null} */ #options = null;
  #actions = new Late(async () => (await Promise.all([import("./selectactions.js"), stylesheet("dialogs")]))[0]);
  #extending = Promise.resolve(); // the newest extension of the selection
  #loading = -1; // the change of the selection that waits for photos
  #pressed = false; // a long touch has selected: the click that follows opens nothing

  /** @param {Options} options */
  setUp(options) {
    this.#options = options;
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Selection");
    this.hidden = true;
    const act = (/** @type {string} */ label, /** @type {string} */ name) => {
      const made = button(label, guard(() => this.act(name)));
      made.dataset.action = name;
      return made;
    };
    this.close = button("✕", () => this.clear(), { className: "button small quiet", hint: "Clear the selection" });
    this.count = element("p", { role: "status" });
    this.everything = button("Select all", guard(() => this.selectAll()));
    this.progress = element("progress", { max: 1, value: 0, hidden: true, "aria-label": "Progress" });
    this.replaceChildren(
      this.close, this.count, this.everything, this.progress,
      element("div", { className: "buttons" }, [
        act("Tags", "tags"), act("Album", "album"), act("Share", "share"), act("Download", "download"),
        act("Describe again", "describe"), act("Trash", "trash"),
      ]),
    );
    const { timeline } = options;
    timeline.addEventListener("click", guard((event) => this.#click(/** @type {MouseEvent} */ (event))), { capture: true });
    timeline.addEventListener("keydown", guard((event) => this.#key(/** @type {KeyboardEvent} */ (event))), { capture: true });
    timeline.addEventListener("tiles-made", () => this.size && this.#mark());
    this.#touch(timeline);
  }

  get #given() {
    if (!this.#options) throw new Error("The selection is not set up.");
    return this.#options;
  }

  get size() {
    return this.selection.size;
  }

  /** Whether photos of a range are loaded, before all of it is selected. */
  get loading() {
    return this.#loading === this.selection.changes;
  }

  /** @param {string} id */
  toggle(id) {
    if (!this.#given.selectable(id)) return;
    this.selection.toggle(id);
    this.refresh();
  }

  clear() {
    const { timeline } = this.#given;
    const focused = this.contains(document.activeElement);
    this.selection.clear();
    this.refresh();
    if (focused && timeline.active) timeline.show(timeline.active); // which may be out of the window
  }

  /** Select the whole list. Of one that is not loaded, the server finds the photos when something is done with them. */
  async selectAll() {
    const { sections, selectable, query, newest } = this.#given;
    const loaded = sections.list.every((section) => section.next === null);
    if (loaded && sections.total <= AT_ONCE) {
      this.selection.add(sections.ids.filter(selectable));
    } else {
      const [asked, changes] = [query(), this.selection.changes];
      const { total, exact, until } = await newest(asked);
      if (until === null || asked !== query()) return; // the list is empty, or another one meanwhile
      if (changes !== this.selection.changes) return; // Escape, or a photo picked meanwhile
      this.selection.selectList(asked, total, until, exact);
    }
    this.refresh();
  }

  /** Show what is selected; photos that have left the list are not. */
  refresh() {
    const { sections, holds } = this.#given;
    this.selection.keep(holds, this.#given.query(), sections.total, sections.ids);
    keepFocus(this, () => this.#draw(this.selection.size), this.close, () => this.#given.timeline.reached());
    this.#mark();
  }

  /** @param {number} size */
  #draw(size) {
    const { sections } = this.#given;
    this.hidden = size === 0 && !this.loading;
    document.body.classList.toggle("selecting", !this.hidden);
    const selected = `${atMost(numberText(size), this.selection.exact)} selected`;
    if (this.count) this.count.textContent = this.loading ? `${selected}. Loading the photos between …` : selected;
    if (this.everything) {
      this.everything.textContent = sections.exact ? `Select all ${numberText(sections.total)}` : "Select all";
      this.everything.hidden = size >= sections.total;
    }
  }

  /** Mark the tiles that are in the document. */
  #mark() {
    for (const card of this.#given.timeline.querySelectorAll(".card")) {
      const selected = this.selection.has(idOf(card));
      card.classList.toggle("selected", selected);
      card.querySelector(".pick")?.setAttribute("aria-checked", String(selected));
    }
  }

  /** @param {number} done @param {number} total */
  show(done, total) {
    if (!this.progress) return;
    this.progress.hidden = done >= total;
    this.progress.value = total ? done / total : 0;
  }

  /** @param {string} name of an action */
  async act(name) {
    const { form } = this.#given;
    while (this.loading) await this.#extending;
    if (this.size === 0) return;
    const { wanted } = this.selection;
    const named = "ids" in wanted;
    if (!named && wanted.except.length > AT_ONCE) {
      throw new Error(`At most ${AT_ONCE.toLocaleString("en")} photos can be left out of all.`);
    }
    const most = named ? AT_ONCE : LISTED;
    if (this.size > most && (name === "share" || name === "download")) {
      throw new Error(`Select at most ${most.toLocaleString("en")} photos for this.`);
    }
    const bulk = await this.#given.bulk.get();
    switch (name) {
      case "describe":
        await bulk.run("recaption", wanted);
        break;
      case "trash":
        await bulk.run("trash", wanted);
        if (!named) this.clear();
        break;
      default:
        await (await this.#actions.get()).run(name, wanted, { bulk, form });
    }
  }

  /** @param {MouseEvent} event */
  #click(event) {
    if (!(event.target instanceof Element) || event.button !== 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const id = idOf(event.target);
    const pick = event.target.closest(".pick");
    if (!id || !(pick || event.target.closest(".frame"))) return;
    const pressed = this.#pressed;
    this.#pressed = false;
    if (!(pick || event.shiftKey || this.size || pressed)) return; // it opens the photo
    event.preventDefault();
    event.stopPropagation();
    if (pressed || !this.#given.selectable(id)) return;
    if (event.shiftKey) return this.#extend(id);
    return this.toggle(id);
  }

  /** @param {string} id */
  #extend(id) {
    this.#extending = this.#select(id);
    return this.#extending;
  }

  /** Select all from the anchor to a photo. What is not loaded of it is loaded before, unless a person goes on. @param {string} id */
  async #select(id) {
    const { sections, selectable, timeline, month, query } = this.#given;
    const [asked, { anchor }, changes] = [query(), this.selection, (this.selection.changes += 1)];
    const wanted = () => changes === this.selection.changes && asked === query();
    const ends = () => [anchor ?? id, id].map((each) => ({ id: each, key: sections.places.get(each)?.key ?? month(each) }));
    const lacking = () => (wanted() ? sections.unloaded(ends()) : undefined);
    try {
      if (lacking()) {
        this.#loading = changes;
        this.refresh();
        await timeline.pages?.each(lacking);
      }
      if (wanted()) this.selection.extend(id, sections.ids.filter(selectable));
    } catch (error) {
      if (!wanted() || !(error instanceof Problem)) throw error;
      const sentence = "The selection is as before, because the photos between could not be loaded.";
      throw new Problem(error.status, error.code, `${sentence} ${error.message}`, error.retryAfter);
    } finally {
      if (this.#loading === changes) this.#loading = -1;
      this.refresh();
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const direction = ARROWS[event.key];
    const { timeline, sections, selectable } = this.#given;
    const from = timeline.active;
    if (!direction || !event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || !from) return;
    if (!(event.target instanceof Element) || !event.target.closest(".card")) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.size === 0 && selectable(from)) this.selection.toggle(from);
    const next = sections.neighbour(from, direction);
    if (next === null) return;
    timeline.show(next);
    return this.#extend(next);
  }

  /** @param {HTMLElement} timeline */
  #touch(timeline) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const end = () => clearTimeout(timer);
    timeline.addEventListener("pointerdown", (event) => {
      end();
      this.#pressed = false;
      const id = event.pointerType === "touch" && event.target instanceof Element ? idOf(event.target) : "";
      if (!id) return;
      timer = setTimeout(() => {
        this.#pressed = true;
        this.toggle(id);
      }, PRESS);
    });
    for (const name of ["pointerup", "pointercancel", "pointermove"]) {
      timeline.addEventListener(name, (event) => {
        const moved = event instanceof PointerEvent && Math.hypot(event.movementX, event.movementY) > 4;
        if (name !== "pointermove" || moved) end();
      });
    }
    timeline.addEventListener("contextmenu", (event) => {
      if (this.#pressed) event.preventDefault();
    });
  }
}

/** @param {Element} target */
function idOf(target) {
  const card = target.closest(".card");
  return card instanceof HTMLElement ? card.dataset.id ?? "" : "";
}

customElements.define("select-bar", SelectBar);
