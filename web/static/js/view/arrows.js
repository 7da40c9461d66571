// Arrow keys, Home and End in the timeline.

/** @typedef {import("../model/sections.js").Section} Section */
/** @typedef {"left" | "right" | "up" | "down" | "first" | "last"} Direction */

/** @type {Record<string, Direction>} */
const ARROWS = {
  ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Home: "first", End: "last",
};

export class Arrows {
  #moves = 0; // keys that move the focus, and movements of it

  /**
   * @param {import("./timeline.js").PhotoTimeline} timeline
   * @param {import("../model/sections.js").Sections} sections
   * @param {(section: Section) => Promise<void>} whole loads all of a section
   */
  constructor(timeline, sections, whole) {
    this.timeline = timeline;
    this.sections = sections;
    this.whole = whole;
  }

  /** Somebody has gone on by other ways. */
  moved() {
    this.#moves += 1;
  }

  /** @param {KeyboardEvent} event */
  async press(event) {
    const direction = ARROWS[event.key];
    const { timeline, sections } = this;
    if (!direction || !timeline.active || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!(event.target instanceof HTMLElement) || !event.target.closest(".card")) return;
    event.preventDefault();
    const end = direction === "last" ? sections.list.at(-1) : undefined;
    const move = (this.#moves += 1);
    if (end && end.next !== null) {
      timeline.showSection(end.key, 1);
      await this.whole(end);
      if (move !== this.#moves || sections.list.at(-1) !== end) return; // somebody has gone on, or searched
    }
    const next = timeline.active && sections.neighbour(timeline.active, direction);
    if (next) timeline.show(next);
  }
}
