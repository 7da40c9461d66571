// <month-scrubber>: the whole timeline at the right edge, by month. A slider for the keyboard and screen readers.

import { guard } from "../core/guard.js";
import { element, monthName } from "./dom.js";

/** @typedef {import("../model/sections.js").Section} Section */
/**
 * @typedef {object} Options
 * @property {() => Section[]} months
 * @property {(key: string, part: number) => void} go
 */

export class MonthScrubber extends HTMLElement {
  /** @type {Options | null} */ #options = null;
  #at = 0;
  #drawn = "";

  /** @param {Options} options */
  setUp(options) {
    this.#options = options;
    this.mark = element("span", { className: "mark" });
    this.years = element("span", { className: "years", "aria-hidden": "true" });
    this.replaceChildren(this.years, this.mark);
    this.setAttribute("role", "slider");
    this.setAttribute("aria-label", "Month");
    this.setAttribute("aria-orientation", "vertical");
    this.setAttribute("aria-valuemin", "1");
    this.tabIndex = 0;
    this.addEventListener("pointerdown", guard((event) => this.#drag(/** @type {PointerEvent} */ (event))));
    this.addEventListener("pointermove", guard((event) => {
      const pointer = /** @type {PointerEvent} */ (event);
      if (this.hasPointerCapture(pointer.pointerId)) this.#drag(pointer);
    }));
    this.addEventListener("keydown", guard((event) => this.#key(/** @type {KeyboardEvent} */ (event))));
  }

  get #months() {
    return this.#options?.months() ?? [];
  }

  /** Show where the list is. @param {string} key */
  show(key) {
    const months = this.#months;
    this.#years(months);
    const at = Math.max(0, months.findIndex((month) => month.key === key));
    this.#at = at;
    const total = months.reduce((sum, month) => sum + month.count, 0);
    const before = months.slice(0, at).reduce((sum, month) => sum + month.count, 0);
    if (this.mark) this.mark.style.top = `${(100 * before) / Math.max(1, total)}%`;
    this.setAttribute("aria-valuemax", String(months.length));
    this.setAttribute("aria-valuenow", String(at + 1));
    this.setAttribute("aria-valuetext", monthName(months[at]?.key ?? ""));
    if (this.mark) this.mark.dataset.label = monthName(months[at]?.key ?? "");
  }

  /** @param {Section[]} months */
  #years(months) {
    const state = months.map(({ key, count }) => `${key}${count}`).join();
    if (state === this.#drawn || !this.years) return;
    this.#drawn = state;
    const total = months.reduce((sum, month) => sum + month.count, 0);
    let before = 0;
    let last = -1;
    let year = "";
    /** @type {HTMLElement[]} */
    const labels = [];
    for (const { key, count } of months) {
      const top = (100 * before) / Math.max(1, total);
      if (key.slice(0, 4) !== year && top - last > 4) {
        const label = element("span", {}, [key.slice(0, 4)]);
        label.style.top = `${top}%`;
        labels.push(label);
        last = top;
      }
      year = key.slice(0, 4);
      before += count;
    }
    this.years.replaceChildren(...labels);
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (event.type === "pointerdown") this.setPointerCapture(event.pointerId);
    const box = this.getBoundingClientRect();
    const wanted = Math.min(0.9999, Math.max(0, (event.clientY - box.top) / box.height));
    const months = this.#months;
    let left = wanted * months.reduce((sum, month) => sum + month.count, 0);
    for (const { key, count } of months) {
      if (left < count) {
        this.#options?.go(key, left / Math.max(1, count));
        return;
      }
      left -= count;
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const months = this.#months;
    /** @type {Record<string, number>} */
    const wanted = {
      ArrowUp: this.#at - 1, ArrowDown: this.#at + 1, PageUp: this.#at - 12, PageDown: this.#at + 12, Home: 0, End: months.length - 1,
    };
    const at = wanted[event.key];
    if (at === undefined) return;
    event.preventDefault();
    const month = months[Math.min(months.length - 1, Math.max(0, at))];
    if (month) this.#options?.go(month.key, 0);
  }
}

customElements.define("month-scrubber", MonthScrubber);
