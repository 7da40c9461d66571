// Elements made from values: text stays text, and no markup is ever parsed.

/**
 * Create an element. Keys that start with `aria-` or `data-`, and `role`, are attributes; others are properties.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [values]
 * @param {(Node | string | null)[]} [children]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, values = {}, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(values)) {
    if (/^(aria-|data-|role$)/.test(name)) made.setAttribute(name, String(value));
    else Reflect.set(made, name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * A button that calls `run`; the signal ends it.
 * @param {string} label
 * @param {() => void} run
 * @param {{className?: string, hint?: string, signal?: AbortSignal}} [options] hint: more of its name, for screen readers
 */
export function button(label, run, { className = "button small", hint = "", signal } = {}) {
  const made = element("button", { type: "button", className }, [label]);
  if (hint) made.append(element("span", { className: "sr" }, [` ${hint}`]));
  made.addEventListener("click", run, signal ? { signal } : {});
  return made;
}

/**
 * The element of an id. Throws if the page lacks it.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function part(id, type) {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${type.name} #${id}.`);
}

/**
 * Whether the target of an event takes text.
 * @param {EventTarget | null} target
 */
export function typing(target) {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;
}

/**
 * Add a stylesheet of this release to the page, once. Resolves when it is applied.
 * @param {string} name
 * @returns {Promise<void>}
 */
export function stylesheet(name) {
  const href = new URL(`../../css/${name}.css`, import.meta.url).href;
  if ([...document.styleSheets].some((sheet) => sheet.href === href)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const link = element("link", { rel: "stylesheet", href });
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () => {
      link.remove();
      reject(new Error(`The stylesheet ${name} cannot be loaded.`));
    });
    document.head.append(link);
  });
}

/**
 * Set a style, unless it has this value: writing it costs a layout.
 * @param {CSSStyleDeclaration} style
 * @param {"top" | "height"} name
 * @param {string} value
 */
export function write(style, name, value) {
  if (style[name] !== value) style[name] = value;
}

const { lang } = document.documentElement;
const months = new Intl.DateTimeFormat(lang, { month: "long", year: "numeric", timeZone: "UTC" }); // made once: it takes a millisecond
const numbers = new Intl.NumberFormat(lang);

/** @param {string} key a month as 2026-11 */
export function monthName(key) {
  const [year, month] = key.split("-").map(Number);
  return months.format(Date.UTC(year ?? 1970, (month ?? 1) - 1, 1));
}

/** @param {number} value */
export const numberText = (value) => numbers.format(value);

/** @param {string} text @param {boolean} exact whether it is a count; else an upper bound */
export const atMost = (text, exact) => (exact ? text : `At most ${text}`);

/** @param {string} name @param {number} count @param {boolean} known whether it is a count; else it is left out */
export const monthTitle = (name, count, known) => (known ? `${name} · ${numberText(count)}` : name);
