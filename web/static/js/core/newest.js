// What "Select all" asks about a list that is not loaded. Loaded with the first of them.

import { ask } from "./api.js";

/**
 * How many photos the list of a query has, at most, and the time of the newest upload among them.
 * @param {string} query
 * @returns {Promise<{total: number, exact: boolean, until: string | null}>}
 */
export async function newest(query) {
  const asked = new URLSearchParams(query);
  asked.set("sort", "uploaded");
  const { months, total, exact } = await ask("GET", `/api/v1/timeline?${asked}`);
  asked.set("limit", "1");
  for (const { month } of months) { // where the counts are upper bounds, the first ones may have none
    for (let next = ""; next !== null;) {
      asked.set("cursor", next);
      const { photos, cursor } = await ask("GET", `/api/v1/timeline/${month}?${asked}`);
      if (photos[0]) return { total, exact, until: photos[0].uploaded };
      next = cursor;
    }
  }
  return { total, exact, until: null };
}
