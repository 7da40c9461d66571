// A value that can be watched.

/** @template T */
export class Signal {
  /** @type {T} */ #value;
  /** @type {Set<(value: T) => void>} */ #watchers = new Set();

  /** @param {T} value */
  constructor(value) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  set value(value) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher(value);
  }

  /**
   * Call `watcher` at once and with every new value, until `signal` is aborted.
   * @param {(value: T) => void} watcher
   * @param {AbortSignal} [signal]
   */
  watch(watcher, signal) {
    if (signal?.aborted) return;
    this.#watchers.add(watcher);
    signal?.addEventListener("abort", () => this.#watchers.delete(watcher));
    watcher(this.#value);
  }
}

/**
 * A Signal whose value is kept in the browser's storage. A value that is not among `choices` counts as the first of them.
 * @param {string} name
 * @param {string[]} choices
 * @returns {Signal<string>}
 */
export function stored(name, choices) {
  const first = choices[0] ?? "";
  let found = first;
  try {
    found = localStorage.getItem(name) ?? first;
  } catch { /* the storage is forbidden: the choice lasts as long as the page */ }
  const signal = new Signal(choices.includes(found) ? found : first);
  signal.watch((value) => {
    try {
      if (value !== found) localStorage.setItem(name, value);
      found = value;
    } catch { /* as above */ }
  });
  return signal;
}
