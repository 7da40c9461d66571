// The scripts of workers, as the page's policy for trusted types demands their addresses.

/** @type {Record<string, string>} */
const ADDRESSES = {
  hash: new URL("../worker/hash.js", import.meta.url).href,
  share: new URL("/static/js/worker/share.js", import.meta.url).href, // the same one in every release
};

const { trustedTypes } = /** @type {any} */ (window);
const policy = trustedTypes?.createPolicy("worker", { createScriptURL: (/** @type {string} */ name) => ADDRESSES[name] });

/** @param {"hash" | "share"} name */
export const workerScript = (name) => policy?.createScriptURL(name) ?? ADDRESSES[name];
