// Rows of the timeline and of the changes feed, as the server sends them. Pure.

/** @typedef {import("../core/store.js").Photo} Photo */
/**
 * @typedef {object} Row
 * @property {string} id
 * @property {number} version
 * @property {[number, string]} [url] the number of the pattern, and the signature
 * @property {string} [status]
 * @property {string} [caption]
 * @property {string} [alt]
 * @property {string} [name]
 */

const SETTLED = new Set(["done", "failed", "rejected", "expired", "deleted"]);

/**
 * Return the photo of a row: keys that the row leaves out have their usual values.
 * @param {Row & Record<string, unknown>} row
 * @param {string[]} urls patterns with {id} and {signature}
 * @returns {Photo}
 */
export function photoOf(row, urls) {
  const { url, ...rest } = row;
  const status = row.status ?? "done";
  const name = row.name ?? "";
  const [pattern, signature] = url ?? [-1, ""];
  return {
    status_text: undefined,
    message: null,
    retryable: false,
    provisional: false,
    source_label: null,
    ...rest,
    row_version: row.version,
    name,
    status,
    settled: SETTLED.has(status),
    caption: row.caption ?? "",
    alt: row.alt ?? row.caption ?? `Photo ${name}, ${SETTLED.has(status) ? "not described" : "not described yet"}`,
    grid_url: urls[pattern]?.replaceAll("{id}", row.id).replace("{signature}", signature) ?? null,
  };
}

/**
 * Whether a photo stands before another within its month: newest first.
 * @param {Photo} photo
 * @param {Photo | undefined} other
 */
export function precedes(photo, other) {
  return (photo.at ?? "") >= (other?.at ?? "");
}
