// What people do with photos: each asks the API, changes the list, and says what happened.

import { ask, Problem, worthAnother } from "./api.js";

/** @typedef {import("./library.js").Library} Library */
/** @typedef {import("./store.js").Photo} Photo */
/** @typedef {import("./late.js").Late<import("./uploads.js").Uploads>} Uploads */
/**
 * @typedef {object} Page
 * @property {(change: () => void) => void} keepPlace
 * @property {(text: string, action?: {label: string, run: () => unknown, undo?: boolean}) => void} toast
 * @property {(id: string) => void} focus
 * @property {() => void} news the server has something new
 */

export class Actions {
  /**
   * @param {Library} library
   * @param {Uploads} uploads
   * @param {Page} page
   */
  constructor(library, uploads, page) {
    this.library = library;
    this.uploads = uploads;
    this.page = page;
  }

  /**
   * @param {string} id
   * @param {string} action
   */
  async run(id, action) {
    if (action === "retry") await this.retry(id);
    if (action === "remove" || action === "trash") await this.remove(id);
    if (action === "describe") await this.describe(id);
  }

  /** @param {string} id */
  async retry(id) {
    if (this.uploads.now?.again(id)) return;
    try {
      this.library.store.put(await ask("POST", `/api/v1/images/${id}/retry`));
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 409) throw error; // 409: another page retried it already
    }
    this.page.focus(id);
    this.page.news();
  }

  /** @param {string} id */
  async describe(id) {
    this.library.store.put(await ask("POST", `/api/v1/images/${id}/recaption`));
    this.page.toast("The photo will be described again. What people wrote stays.");
    this.page.news();
  }

  /** @param {string} id */
  async remove(id) {
    if (this.uploads.now?.cancel(id)) return;
    try {
      await ask("DELETE", `/api/v1/images/${id}`);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
    }
    const photo = this.library.store.get(id);
    const added = this.library.added.indexOf(id);
    this.page.keepPlace(() => this.library.remove(id));
    this.#offer("Moved to the trash.", id, photo, added);
  }

  /** @param {string} text @param {string} id @param {Photo | undefined} photo @param {number} added */
  #offer(text, id, photo, added) {
    this.page.toast(text, { label: "Undo", undo: true, run: () => this.restore(id, photo, added) });
  }

  /**
   * Take a photo out of the trash; after an error offer it again, unless it cannot succeed.
   * @param {string} id
   * @param {Photo | undefined} photo as it was shown
   * @param {number} added its place among the new photos, or -1
   */
  async restore(id, photo, added) {
    const image = await ask("POST", `/api/v1/images/${id}/restore`).catch((error) => {
      const name = photo?.name ?? "The photo";
      if (worthAnother(error)) this.#offer(`${name} is still in the trash.`, id, photo, added);
      if (!(error instanceof Problem) || error.status !== 404) throw error;
      throw new Problem(error.status, error.code, `${name} cannot be restored: it was deleted for good.`);
    });
    this.library.store.put({ ...photo, ...image });
    const shown = this.library.store.get(id);
    this.page.keepPlace(() => {
      if (added >= 0) this.library.addAt(id, added);
      else if (shown) this.library.place(shown, { known: true });
    });
    this.page.focus(id);
    this.page.news();
  }
}
