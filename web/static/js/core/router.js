// The addresses of this page: a list with its filters, and a photo over it. Pure, but for `go` and `back`.

export const FILTERS = [
  "q", "month", "taken_from", "taken_to", "uploaded_from", "uploaded_to", "tag", "camera", "source", "status", "type",
  "orientation", "owner", "album", "similar", "sort",
];

/** @type {Record<string, string>} What filters are called whose value is an id. */
const IDS = { album: "Album", similar: "Similar photos" };

/**
 * @typedef {object} Route
 * @property {string | null} photo the id of the shown photo
 * @property {URLSearchParams} query the filters of the list
 */

/**
 * @param {{pathname: string, search: string}} address
 * @returns {Route}
 */
export function parse({ pathname, search }) {
  const photo = /^\/photo\/([0-9a-f]{32})$/.exec(pathname)?.[1] ?? null;
  return { photo, query: filters(new URLSearchParams(search)) };
}

/**
 * The filters of a query that have a value, in one order, so that equal filters are equal as text.
 * @param {URLSearchParams} given
 */
export function filters(given) {
  const found = new URLSearchParams();
  for (const name of FILTERS) {
    const value = given.get(name)?.trim();
    if (value) found.set(name, value);
  }
  return found;
}

/** @param {Route} route */
export function path({ photo, query }) {
  const text = query.toString();
  return `${photo ? `/photo/${photo}` : "/"}${text ? `?${text}` : ""}`;
}

/**
 * The values of the filters as people read them.
 * @param {URLSearchParams} query
 */
export function named(query) {
  return [...query].filter(([name]) => name !== "sort").map(([name, value]) => IDS[name] ?? value);
}

/**
 * The title of a list.
 * @param {URLSearchParams} query
 * @param {string} gallery
 */
export function title(query, gallery) {
  const words = named(query);
  return words.length ? `${words.join(", ")} – ${gallery}` : gallery;
}

/**
 * Change the address. replace: no new step for the back button.
 * @param {Route} route
 * @param {{replace?: boolean, state?: Record<string, unknown>}} [options]
 */
export function go(route, { replace = false, state = {} } = {}) {
  history[replace ? "replaceState" : "pushState"](state, "", path(route));
}

let returning = false;

/** Go back by one step of this page. Further calls count only once the browser has gone: two clicks are one step. */
export function back() {
  if (returning) return;
  returning = true;
  window.addEventListener("popstate", () => {
    returning = false;
  }, { once: true });
  history.back();
}
