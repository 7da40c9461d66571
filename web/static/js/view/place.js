// Where a person was in the list, kept for a reload and for the way back to it.

/** @typedef {{key: string, part: number}} Place */

const NAME = "place";

/** @param {URLSearchParams} query @param {Place | null} place */
export function remember(query, place) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify({ query: query.toString(), place }));
  } catch { /* the storage is forbidden: the list begins at its top */ }
}

/**
 * The place of the same list.
 * @param {URLSearchParams} query
 * @returns {Place | null}
 */
export function recall(query) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(NAME) ?? "null");
    return kept?.query === query.toString() ? kept.place : null;
  } catch {
    return null;
  }
}
