// Parts of the page that are loaded when they are used first: the first view stays small.

/** @template T */
export class Late {
  /** @type {T | null} */
  now = null; // the part, once it is loaded
  /** @type {Promise<T> | null} */ #coming = null;

  /** @param {() => Promise<T>} load */
  constructor(load) {
    this.load = load;
  }

  /** Load the part, unless it is loaded or on its way. Rejects with a sentence for people, and tries again next time. */
  async get() {
    this.#coming ??= this.load();
    try {
      this.now = await this.#coming;
    } catch (error) {
      this.#coming = null;
      throw new Error("A part of this page cannot be loaded. Reload the page, then try again.", { cause: error });
    }
    return this.now;
  }
}
