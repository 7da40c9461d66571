// The months of the timeline that are in the document: a heading and a list of tiles each.

import { element, write } from "./dom.js";

/** @typedef {import("../model/sections.js").Section} Section */
/** @typedef {import("../model/sections.js").Sections} Sections */
/** @typedef {{box: HTMLElement, heading: HTMLElement, list: HTMLElement, count: number}} Month */

export class Months {
  /** @type {Map<string, Month>} */ #shown = new Map();

  /**
   * @param {HTMLElement} host
   * @param {Sections} sections
   * @param {(section: Section) => string} title
   */
  constructor(host, sections, title) {
    this.host = host;
    this.sections = sections;
    this.title = title;
  }

  /**
   * Bring a section's element in line with it. Returns its list of tiles.
   * @param {Section} section
   */
  show(section) {
    let month = this.#shown.get(section.key);
    if (!month) {
      month = make(section.key);
      this.#shown.set(section.key, month);
      const later = [...this.host.children].find((child) => child instanceof HTMLElement && this.#topOf(child) > section.top);
      this.host.insertBefore(month.box, later ?? null);
    }
    if (month.count !== section.count) {
      month.count = section.count;
      month.heading.textContent = this.title(section);
    }
    write(month.box.style, "top", `${section.top}px`); // no transform: sticky headings need real offsets
    write(month.box.style, "height", `${section.height}px`);
    return month.list;
  }

  /** @param {HTMLElement} box */
  #topOf(box) {
    return this.sections.get(box.dataset.key ?? "")?.top ?? -1;
  }

  /**
   * Take all other sections out of the document.
   * @param {Set<string>} keys
   */
  keep(keys) {
    for (const [key, month] of this.#shown) {
      if (keys.has(key)) continue;
      month.box.remove();
      this.#shown.delete(key);
    }
  }
}

/**
 * @param {string} key
 * @returns {Month}
 */
function make(key) {
  const heading = element("h2", { id: `s-${key}`, tabIndex: -1 });
  const list = element("ul", { className: "tiles", role: "list" });
  const box = element("section", { className: "month", "aria-labelledby": heading.id, "data-key": key }, [heading, list]);
  return { box, heading, list, count: -1 };
}

/**
 * Put a tile into its list, behind the one before it: screen readers and find-in-page follow the document.
 * @param {HTMLElement} list
 * @param {HTMLElement} tile
 * @param {HTMLElement | undefined} before
 */
export function order(list, tile, before) {
  const previous = before?.parentNode === list ? before : null;
  const wanted = previous ? previous.nextSibling : list.firstChild;
  if (tile === wanted || (tile.parentNode === list && tile.previousSibling === previous)) return;
  if (tile.parentNode === list && tile.contains(document.activeElement)) return; // moving it would take the focus away
  list.insertBefore(tile, wanted);
}
