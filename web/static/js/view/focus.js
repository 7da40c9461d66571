// Keeps the focus in the page. Where the element that has it is removed, hidden or disabled, the browser gives it to the
// body: keys do nothing more, and Tab starts again at the top.

/** @typedef {Element | null | undefined} Candidate */

/** @param {Candidate} each */
const able = (each) => each instanceof HTMLElement && each !== document.body && each.isConnected && each.checkVisibility() && !each.matches(":disabled");

/** The modal dialog in front of all others. */
export const frontDialog = () => [...document.querySelectorAll("dialog:modal")].at(-1);

/**
 * Where nothing has the focus, give it to the first of these that can have it; else to the dialog in front, to the photo
 * that Tab reaches, or to the page's content.
 * @param {...(Candidate | (() => Candidate))} others
 */
export function refocus(...others) {
  if (able(document.activeElement)) return;
  const places = ["photo-timeline .frame[tabindex='0']", "#main"].map((place) => () => document.querySelector(place));
  for (const other of [...others, frontDialog, ...places]) {
    const found = typeof other === "function" ? other() : other;
    if (!able(found)) continue;
    /** @type {HTMLElement} */ (found).focus({ preventScroll: true });
    if (document.activeElement === found) return;
  }
}

/**
 * Change a part of the document. Where this takes the focus away, it comes back if it can, or goes to the first of the
 * others, as in `refocus`.
 * @param {Element} box what is changed: a focus outside of it stays
 * @param {() => void} change
 * @param {...(Candidate | (() => Candidate))} others
 */
export function keepFocus(box, change, ...others) {
  const focused = document.activeElement;
  const inside = box.contains(focused);
  change();
  if (inside) refocus(focused, ...others);
}

/**
 * Hide a part of the document, or show it; the focus does not stay in what is hidden.
 * @param {HTMLElement} box
 * @param {boolean} hidden
 * @param {...(Candidate | (() => Candidate))} others
 */
export function hide(box, hidden, ...others) {
  keepFocus(box, () => {
    box.hidden = hidden;
  }, ...others);
}
