// Which photos get a tile with a frame: a slow phone makes few, and those in the window first. Pure.

const IN_WINDOW = 4; // tiles a frame
const BESIDE = 2; // tiles a frame, above and below the window, once it is full
const LANDED = 500; // milliseconds that the pictures in the window have for themselves, once somebody has jumped there

export class Pace {
  #top = 0;
  #jumped = -Infinity;

  /**
   * The window shows another part of the list.
   * @param {number} top
   * @param {number} height of the window
   * @param {number} now
   */
  move(top, height, now) {
    if (Math.abs(top - this.#top) > height) this.#jumped = now;
    this.#top = top;
  }

  /**
   * Returns what is made with this frame, and when to ask again: with the next "frame", "later", or never ("").
   * @param {string[]} inside the window, those that have no tile
   * @param {string[]} beside it, above and below
   * @param {number} now
   * @returns {{made: string[], again: "frame" | "later" | ""}}
   */
  choose(inside, beside, now) {
    if (inside.length) {
      return { made: inside.slice(0, IN_WINDOW), again: inside.length > IN_WINDOW || beside.length ? "frame" : "" };
    }
    if (beside.length && now - this.#jumped < LANDED) return { made: [], again: "later" };
    return { made: beside.slice(0, BESIDE), again: beside.length > BESIDE ? "frame" : "" };
  }
}
