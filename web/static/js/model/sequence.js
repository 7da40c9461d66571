// Which photo follows in the viewer, also after the shown one has left the list. Pure.

/**
 * Remembers where the shown photo is, by its neighbours.
 */
export class Sequence {
  /** @param {() => string[]} ids of the list, in order */
  constructor(ids) {
    this.ids = ids;
    /** @type {string | null} */
    this.current = null;
    /** @type {string[]} */
    this.before = [];
    /** @type {string[]} */
    this.after = [];
  }

  /** @param {string} id */
  show(id) {
    this.current = id;
    this.note();
  }

  /** Remember the neighbours of the current photo, while it is in the list. */
  note() {
    const ids = this.ids();
    const at = this.current === null ? -1 : ids.indexOf(this.current);
    if (at < 0) return;
    this.before = ids.slice(0, at).reverse();
    this.after = ids.slice(at + 1);
  }

  /**
   * The next (1) or previous (-1) photo that is still in the list; null at its end.
   * @param {1 | -1} step
   * @returns {string | null}
   */
  step(step) {
    this.note();
    const there = new Set(this.ids());
    return (step > 0 ? this.after : this.before).find((id) => there.has(id)) ?? null;
  }
}
