// The photos that this page knows. Only the store holds them; views read from it and watch it.

/**
 * A photo as the timeline, the changes feed and the image routes send it: a compact row, or all of an image.
 * @typedef {object} Photo
 * @property {string} id
 * @property {number} [version] grows with each change; missing for a file of this page
 * @property {number} [row_version] of the newest compact row, which has what a whole image lacks: its place in the list
 * @property {string} [month] the month it is listed in, as 2026-11
 * @property {string} [at] the time it is ordered by
 * @property {string} [uploaded] when its upload ended, in the form of at
 * @property {number} [aspect] width in parts of the height
 * @property {number | null} [width] of the upright photo, in pixels
 * @property {number | null} [height]
 * @property {string | null} [grid_url] about 360 pixels high, uncropped
 * @property {string | null} [thumbnail_url]
 * @property {string | null} [thumbnail_2x_url]
 * @property {string | null} [display_url]
 * @property {string | null} [original_url]
 * @property {string | null} [placeholder]
 * @property {string} status
 * @property {string | undefined} [status_text]
 * @property {string | null} [source_label]
 * @property {boolean} settled
 * @property {string} name
 * @property {string | null} [caption]
 * @property {string | null} [alt_text]
 * @property {string} alt
 * @property {string[]} [tags]
 * @property {string | null} [visible_text]
 * @property {string | null} [message]
 * @property {boolean} [retryable]
 * @property {boolean} [read_only]
 * @property {boolean} [provisional]
 * @property {string | null} [source]
 * @property {string | null} [source_text]
 * @property {string | null} [caption_language] the code of its language
 * @property {string | null} [alt_language]
 * @property {string | null} [taken_at]
 * @property {string} [uploaded_at]
 * @property {string | null} [camera]
 * @property {string | null} [media_type]
 * @property {number | null} [size] bytes
 * @property {string | null} [owner]
 * @property {boolean} [local] a file of this page that is not uploaded yet
 * @property {File} [file] shown until there is a picture of the server
 * @property {number} [progress] of its upload, from 0 to 100
 */

/** @typedef {(changed: Set<string>) => void} Watcher */

export class Store {
  /** @type {Map<string, Photo>} */ #photos = new Map();
  /** @type {Set<Watcher>} */ #watchers = new Set();
  /** @type {Set<string> | null} */ #changed = null;

  /** @param {string} id */
  get(id) {
    return this.#photos.get(id);
  }

  /**
   * Take over newer data of a photo. A compact row keeps what only a whole image has.
   * @param {Photo} photo
   * @returns {boolean} whether it was taken; older versions are not
   */
  put(photo) {
    const known = this.#photos.get(photo.id);
    if (known && (photo.version ?? Infinity) < (known.version ?? 0)) return false;
    const whole = known ? { ...known, ...photo } : photo;
    this.#photos.set(photo.id, whole);
    this.#note(photo.id);
    return true;
  }

  /** @param {string} id */
  remove(id) {
    if (this.#photos.delete(id)) this.#note(id);
  }

  /**
   * Call `watcher` with the ids of what changed, once for all changes of a task of the event loop.
   * @param {Watcher} watcher
   * @param {AbortSignal} [signal]
   */
  watch(watcher, signal) {
    this.#watchers.add(watcher);
    signal?.addEventListener("abort", () => this.#watchers.delete(watcher));
  }

  /** @param {string} id */
  #note(id) {
    if (this.#changed === null) {
      this.#changed = new Set();
      queueMicrotask(() => {
        const changed = this.#changed ?? new Set();
        this.#changed = null;
        for (const watcher of [...this.#watchers]) watcher(changed);
      });
    }
    this.#changed.add(id);
  }
}

/**
 * The width of a photo in parts of its height. Square until the photo is decoded.
 * @param {Photo | undefined} photo
 */
export function aspect(photo) {
  return photo?.aspect ?? (photo?.width && photo.height ? photo.width / photo.height : 1);
}
