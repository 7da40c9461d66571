// The search field and the filters. They change the list only once the server has answered.

import { ask, Problem } from "../core/api.js";
import { guard } from "../core/guard.js";
import { filters } from "../core/router.js";
import { LABELS, refusedFilter } from "../model/filters.js";
import { element, button } from "./dom.js";
import { hide, keepFocus } from "./focus.js";

const TYPING = 250; // milliseconds

/** @type {Record<string, string>} Where what a filter names by its id is found. */
const COLLECTIONS = { album: "albums", similar: "images" };

/**
 * @typedef {object} Options
 * @property {HTMLInputElement} input
 * @property {HTMLFormElement} form the filters
 * @property {HTMLElement} chips where the chosen filters are listed
 * @property {HTMLElement} failure where a failed search is reported
 * @property {HTMLElement} list dimmed while the server is asked
 * @property {(query: URLSearchParams) => Promise<void>} open
 * @property {(query: URLSearchParams) => void} opened called after success: address and title may change now
 */

export class Search {
  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    this.query = new URLSearchParams();
    /** @type {string | null} */
    this.wanted = null; // nothing is shown yet
    const { input, form } = options;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    /** @param {number} wait */
    const later = (wait) => {
      clearTimeout(timer);
      timer = setTimeout(guard(() => this.go(this.#typed(), { typed: true })), wait);
    };
    input.addEventListener("input", () => later(TYPING));
    input.form?.addEventListener("submit", (event) => {
      event.preventDefault();
      later(0);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || input.value === "") return;
      input.value = "";
      later(0);
    });
    form.addEventListener("change", guard(() => this.go(this.#typed(), { typed: true })));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      later(0);
    });
  }

  /** The query of the field and the filters. */
  #typed() {
    const { input, form } = this.options;
    const query = new URLSearchParams(this.query);
    query.set("q", input.value);
    for (const [name, value] of new FormData(form)) query.set(name, String(value));
    return filters(query);
  }

  /**
   * Show the list of a query.
   * @param {URLSearchParams} query
   * @param {{remember?: boolean, typed?: boolean}} [options] remember: change the address afterwards. typed: what is in
   * the field with the focus stays, because more may have been typed until the server has answered
   */
  async go(query, { remember = true, typed = false } = {}) {
    const text = query.toString();
    if (text === this.wanted && this.options.failure.hidden) return;
    this.wanted = text;
    const { list, failure, open, opened } = this.options;
    list.classList.add("asking");
    hide(failure, true);
    try {
      await open(query);
    } catch (error) {
      if (error instanceof Error && error.name === "AbortError") return; // a later search runs
      list.classList.remove("asking");
      this.#failed(query, remember, /** @type {Error} */ (error));
      return;
    }
    list.classList.remove("asking");
    this.query = query;
    this.show(query, typed ? document.activeElement : null);
    if (remember) opened(query);
  }

  /** @param {URLSearchParams} query @param {boolean} remember @param {Error} error */
  #failed(query, remember, error) {
    if (!(error instanceof Problem)) throw error;
    const { failure } = this.options;
    const refused = refusedFilter(error, query);
    // Trying again helps only where the filters are not at fault
    const way = refused
      ? button("Clear this filter", guard(() => this.without(refused.name, query)))
      : button("Try again", guard(() => this.go(query, { remember })));
    failure.replaceChildren(element("p", {}, [refused?.sentence ?? error.message]), way);
    failure.hidden = false;
  }

  /**
   * Show the filters of a query in the field, the form and the chips.
   * @param {URLSearchParams} query
   * @param {Element | null} kept a field that stays as it is
   */
  show(query, kept) {
    const { input, form, chips } = this.options;
    this.query = query;
    this.wanted = query.toString();
    for (const field of [input, ...form.elements]) {
      if (field === kept) continue;
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = query.get(field.name) ?? "";
    }
    const shown = [...query].map(([name, value]) => this.#chip(name, value));
    keepFocus(chips, () => {
      chips.replaceChildren(...shown);
      chips.hidden = shown.length === 0;
    }, input);
  }

  /** @param {string} name @param {string} value */
  #chip(name, value) {
    const made = button("", guard(() => this.without(name)), { className: "button small chosen" });
    const label = (/** @type {string} */ shown) => {
      const text = `${LABELS[name] ?? name}: ${shown}`;
      made.replaceChildren(text, element("span", { "aria-hidden": "true" }, [" ✕"]));
      made.setAttribute("aria-label", `Remove the filter ${text}`);
    };
    const kind = COLLECTIONS[name];
    label(kind ? "…" : value);
    if (kind) {
      guard(async () => {
        const found = await ask("GET", `/api/v1/${kind}/${encodeURIComponent(value)}`);
        label(found.caption || found.name);
      })();
    }
    return made;
  }

  /**
   * Show the list without one of the filters.
   * @param {string} name
   * @param {URLSearchParams} [from]
   */
  async without(name, from = this.query) {
    const query = new URLSearchParams(from);
    query.delete(name);
    if (name === "q") this.options.input.value = "";
    await this.go(query);
    this.options.input.focus();
  }
}
