// The files of batches that an earlier page has begun: how many had arrived before this page, and how far they are. Pure.

/** @typedef {{batch: string, total: number, described: number, failed: number}} BatchCounts of the changes feed */

export class Restored {
  /** @type {Map<string, number>} */ #totals = new Map(); // files that were added together
  /** @type {Map<string, {total: number, settled: number}>} */ #counts = new Map(); // of them, by the server

  /** @param {string} batch @param {number} total files that were added together */
  add(batch, total) {
    if (!this.#totals.has(batch)) this.#totals.set(batch, total);
  }

  /** One of the files was refused or given up. @param {string} batch */
  shrink(batch) {
    const total = this.#totals.get(batch);
    if (total) this.#totals.set(batch, total - 1);
  }

  /** @param {BatchCounts[]} counts */
  count(counts) {
    for (const { batch, total, described, failed } of counts) this.#counts.set(batch, { total, settled: described + failed });
  }

  clear() {
    this.#totals.clear();
    this.#counts.clear();
  }

  /**
   * How many files of these batches this page knows nothing of, because they had arrived before it, and how many of
   * those are described or have failed.
   * @param {{batch: string, settled: boolean}[]} here the uploads of this page
   * @param {{batch: string}[]} lost those whose files have to be chosen again
   */
  before(here, lost) {
    const found = { arrived: 0, settled: 0 };
    for (const [batch, total] of this.#totals) {
      const mine = here.filter((upload) => upload.batch === batch);
      if (mine.length === 0) continue;
      const counted = this.#counts.get(batch);
      const settledHere = mine.filter((upload) => upload.settled).length;
      const unsent = lost.filter((entry) => entry.batch === batch).length;
      let arrived = Math.max(0, total - mine.length - unsent);
      // Photos that were deleted meanwhile are in no count of the server, and are not waited for. Until all files of this
      // page are settled, its total may lack some of them.
      if (counted && settledHere === mine.length) arrived = Math.min(arrived, Math.max(0, counted.total - mine.length));
      const settled = (counted?.settled ?? 0) - settledHere;
      found.arrived += arrived;
      found.settled += Math.min(arrived, Math.max(0, settled));
    }
    return found;
  }
}
