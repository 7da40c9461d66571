// What the browser remembers of uploads that are not finished, and how files that are chosen again are recognised. Pure.

/**
 * @typedef {object} Entry
 * @property {string} key
 * @property {string} viewer whose account it is
 * @property {string} tab that the upload belongs to
 * @property {string} name
 * @property {number} size
 * @property {number} modified the file's time, in milliseconds
 * @property {string} type
 * @property {string} batch
 * @property {number} total files that were added together
 * @property {number} added when, in milliseconds
 * @property {import("./hashing.js").Hashes | null} hashes
 * @property {string | null} image the id that the server gave
 * @property {import("../core/send.js").Form | null} form
 * @property {boolean} anyway whether it is uploaded although it is there already
 */

const LONGEST = 7 * 86_400_000; // milliseconds that an upload is remembered

/** @param {Entry} entry @param {number} now */
export const outdated = (entry, now) => now - entry.added > LONGEST;

/**
 * Find the entries of files that were chosen again: the same name, size and time. Each entry is found once.
 * @template {{name: string, size: number, lastModified: number}} F
 * @param {Entry[]} entries
 * @param {F[]} files
 * @returns {Map<F, Entry>}
 */
export function recognised(entries, files) {
  /** @type {Map<string, Entry[]>} */
  const known = new Map();
  for (const entry of entries) {
    const key = `${entry.size} ${entry.modified} ${entry.name}`;
    known.set(key, [...(known.get(key) ?? []), entry]);
  }
  const found = new Map();
  for (const file of files) {
    const entry = known.get(`${file.size} ${file.lastModified} ${file.name}`)?.shift();
    if (entry) found.set(file, entry);
  }
  return found;
}

/**
 * "12 of 60 left"
 * @param {Entry[]} entries
 */
export function left(entries) {
  /** @type {Map<string, number>} */
  const batches = new Map();
  for (const { batch, total } of entries) batches.set(batch, total);
  const total = [...batches.values()].reduce((sum, each) => sum + each, 0);
  return `${entries.length} of ${Math.max(total, entries.length)} left`;
}
