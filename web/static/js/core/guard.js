// One wrapper for listeners: no error of one is lost silently.

/** @type {(error: Error) => void} */
let report = (error) => console.error(error);

/**
 * Set what happens with an error that a listener does not handle.
 * @param {(error: Error) => void} handler
 */
export function reportErrors(handler) {
  report = handler;
}

/** @param {unknown} error */
export function fail(error) {
  const found = error instanceof Error ? error : new Error(String(error));
  if (found.name !== "AbortError") report(found); // an AbortError is somebody's wish
}

/**
 * Return a listener that reports what it throws or rejects with.
 * @template {unknown[]} A
 * @param {(...given: A) => unknown} listener
 * @returns {(...given: A) => void}
 */
export function guard(listener) {
  return (...given) => {
    try {
      const result = listener(...given);
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  };
}
