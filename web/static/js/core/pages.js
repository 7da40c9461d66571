// Loads the photos of sections that come near the window, page by page.

import { Problem } from "./api.js";
import { guard } from "./guard.js";

/** @typedef {import("../model/sections.js").Section} Section */
/** @typedef {import("../model/sections.js").Sections} Sections */

const AGAIN = 5000; // milliseconds until a page that could not be loaded is asked for again

export class Pages {
  /** @type {Map<string, Promise<void>>} */ #loading = new Map(); // by the keys of sections
  /** @type {Problem | null} */ #failure = null; // why the last page could not be loaded, which is said once
  #waits = false; // nothing is asked for, because a page could not be loaded just now

  /**
   * @param {Sections} sections
   * @param {(section: Section) => Promise<void>} load loads the next page of a section
   * @param {() => void} changed called with each page that has come, and when those that lack are to be asked for again
   */
  constructor(sections, load, changed) {
    this.sections = sections;
    this.load = load;
    this.changed = changed;
  }

  /**
   * Load what lacks between two heights.
   * @param {number} top @param {number} bottom
   */
  fill(top, bottom) {
    if (this.#waits) return;
    for (const { section } of this.sections.visible(top, bottom)) {
      if (!this.#loading.has(section.key) && this.sections.lacks(section, bottom)) guard(() => this.#next(section))();
    }
  }

  /** Load all that a section lacks, as long as there is progress. @param {Section} section */
  async whole(section) {
    for (/** @type {string | null | undefined} */ let known = null; known !== section.next && section.next !== null;) {
      known = section.next;
      await this.#next(section);
    }
  }

  /**
   * Load pages of one section after the other. Rejects where there is no progress.
   * @param {() => Section | undefined} lacking the next section to load a page of; undefined at the end
   */
  async each(lacking) {
    for (let section = lacking(); section;) {
      const known = section.next;
      await this.#next(section);
      const following = lacking();
      if (this.#failure && following === section && section.next === known) throw this.#failure;
      section = following;
    }
  }

  /** The next page, which may be on its way already. @param {Section} section */
  #next(section) {
    const coming = this.#loading.get(section.key) ?? this.#page(section);
    this.#loading.set(section.key, coming);
    return coming;
  }

  /** @param {Section} section */
  async #page(section) {
    try {
      await this.load(section);
      this.#failure = null;
    } catch (error) {
      const known = this.#failure;
      this.#failure = error instanceof Problem && error.passing ? error : null;
      if (this.#failure && !this.#waits) {
        this.#waits = true;
        setTimeout(() => {
          this.#waits = false;
          this.changed();
        }, AGAIN);
      }
      if (!known || !this.#failure) throw error;
      return;
    } finally {
      this.#loading.delete(section.key);
    }
    this.changed(); // somebody may have jumped deep into the section
  }
}
