// Corrects the counts of months that are not loaded, with at most one request in two seconds.

import { guard } from "./guard.js";

const PAUSE = 2000; // milliseconds

export class Counts {
  #waits = false;

  /**
   * @param {import("./library.js").Library} library
   * @param {() => void} changed called with each answer
   */
  constructor(library, changed) {
    this.library = library;
    this.changed = changed;
  }

  /** Ask for the counts soon, where changes have made them uncertain; what changes until then is counted with them. */
  correct() {
    if (!this.library.uncounted || this.#waits) return;
    this.#waits = true;
    setTimeout(guard(async () => {
      this.#waits = false;
      if (!await this.library.count()) return; // the next news, page or list asks again: no loop while there is no answer
      this.changed();
      this.correct();
    }), PAUSE);
  }
}
