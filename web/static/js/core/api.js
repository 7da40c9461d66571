// Client of the gallery's JSON API. Every failure is an Error with a sentence for people.

export class Problem extends Error {
  /**
   * @param {number} status 0: no answer
   * @param {string} code
   * @param {string} detail
   * @param {number | null} retryAfter seconds
   */
  constructor(status, code, detail, retryAfter = null) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed once the account of this page is signed in again. */
  get signedOut() {
    return this.status === 401 || this.code === "other_account";
  }

  /** Whether the same request may succeed later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Whether what an error has stopped may succeed another time: later, or signed in. @param {unknown} error */
export const worthAnother = (error) => !(error instanceof Problem) || error.passing || error.signedOut;

/** The address of the sign-in page that leads back to this one. */
export const signInPath = () => `/login?next=${encodeURIComponent(location.pathname + location.search)}`;

/** The name of the account that this page was made for; "" without one, or without a page. */
export const viewer = globalThis.document?.body?.dataset.viewer ?? "";

/** @type {(problem: Problem) => void} */
let signedOut = ({ status }) => {
  if (status === 401) location.assign(signInPath());
};

/**
 * Set what happens when the session has ended, or when another account has signed in in another tab.
 * @param {(problem: Problem) => void} handler
 */
export function onSignedOut(handler) {
  signedOut = handler;
}

const TRIES = 3; // of a question that a busy gallery has put off
const LONGEST = 3; // seconds to wait between them

/** @param {number} seconds @param {AbortSignal | undefined} signal */
const pause = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, 1000 * seconds);
  signal?.addEventListener("abort", () => {
    clearTimeout(timer);
    reject(signal.reason);
  }, { once: true });
});

/**
 * Resolves to the response's JSON (null for 204). Rejects with a Problem or an AbortError. A GET that a busy gallery
 * has put off for a moment is sent again.
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, signal?: AbortSignal, fresh?: boolean}} [options] fresh: not from the browser's cache,
 *   even where the gallery would say that nothing has changed
 * @returns {Promise<any>}
 */
export async function ask(method, path, options = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askOnce(method, path, options);
    } catch (error) {
      const wait = error instanceof Problem && error.code === "busy" ? error.retryAfter : null;
      if (method !== "GET" || attempt === TRIES || wait === null || wait > LONGEST) throw error;
      await pause(wait, options.signal);
    }
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, signal?: AbortSignal, fresh?: boolean}} options
 */
async function askOnce(method, path, { body, signal, fresh = false }) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (viewer) headers["X-Account"] = viewer; // so that no page acts for another account, which has signed in since
  /** @type {RequestInit} */
  const options = { method, cache: fresh ? "reload" : "no-cache", headers };
  if (signal) options.signal = signal;
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "network", "The gallery cannot be reached at the moment.");
  }
  if (answer.status === 204) return null;
  const value = await answer.json().catch(() => null);
  signal?.throwIfAborted();
  if (answer.ok && value !== null) return value;
  const wait = Number(answer.headers.get("Retry-After")) || null;
  const sentence = answer.status === 401 ? "You are signed out." : value?.detail; // the API's own is for programs
  const problem = new Problem(answer.status, value?.code ?? "http", sentence ?? `The gallery answered ${answer.status}.`, wait);
  if (problem.signedOut) signedOut(problem);
  throw problem;
}
