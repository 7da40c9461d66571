// Which key does what. Pure: a description of a key press in, the name of an action out.

/**
 * @typedef {object} Press
 * @property {string} key
 * @property {boolean} shiftKey
 * @property {boolean} ctrlKey
 * @property {boolean} metaKey
 * @property {boolean} altKey
 */
/**
 * @typedef {object} Binding
 * @property {string} keys as people read them
 * @property {string} action
 * @property {string} text what it does
 * @property {"page" | "photos" | "viewer"} where
 */

/** @type {Binding[]} */
export const BINDINGS = [
  { keys: "/", action: "search", text: "Search", where: "page" },
  { keys: "u", action: "add", text: "Add photos", where: "page" },
  { keys: "?", action: "help", text: "Show the keyboard shortcuts", where: "page" },
  { keys: "Ctrl+Z", action: "undo", text: "Undo the last action", where: "page" },
  { keys: "Arrow keys", action: "move", text: "Move between photos", where: "photos" },
  { keys: "Enter", action: "open", text: "Open the photo", where: "photos" },
  { keys: "x", action: "select", text: "Select the photo, or take it out of the selection", where: "photos" },
  { keys: "Shift+Arrow keys", action: "extend", text: "Extend the selection", where: "photos" },
  { keys: "Ctrl+A", action: "selectAll", text: "Select all photos", where: "photos" },
  { keys: "l", action: "album", text: "Add the selected photos to an album", where: "photos" },
  { keys: "s", action: "share", text: "Share the selected photos by a link", where: "photos" },
  { keys: "Shift+D", action: "download", text: "Download the selected photos", where: "photos" },
  { keys: "Home", action: "first", text: "First photo", where: "photos" },
  { keys: "End", action: "last", text: "Last photo", where: "photos" },
  { keys: "m", action: "nextMonth", text: "Next month", where: "photos" },
  { keys: "Shift+M", action: "previousMonth", text: "Previous month", where: "photos" },
  { keys: "Delete", action: "trash", text: "Move to the trash", where: "photos" },
  { keys: "r", action: "describe", text: "Describe again", where: "photos" },
  { keys: "e", action: "edit", text: "Edit the caption", where: "photos" },
  { keys: "t", action: "tags", text: "Edit the tags", where: "photos" },
  { keys: "i", action: "info", text: "Show or hide the information", where: "photos" },
  { keys: "+", action: "larger", text: "Larger photos; in the viewer: zoom in", where: "photos" },
  { keys: "-", action: "smaller", text: "Smaller photos; in the viewer: zoom out", where: "photos" },
  { keys: "Left, Right", action: "step", text: "Previous or next photo", where: "viewer" },
  { keys: "f", action: "full", text: "Full screen", where: "viewer" },
  { keys: "Esc", action: "back", text: "Back one level", where: "viewer" },
];

/** @type {Map<string, string>} */
const ACTIONS = new Map(BINDINGS.map((binding) => [binding.keys, binding.action]));
/** @type {Record<string, string>} */
const COMMANDS = { z: "undo", a: "selectAll" };
/** @type {Record<string, string>} */
const NAMES = { Escape: "Esc" };

/**
 * The action of a key press, or null. Letters and signs without Ctrl count only while `letters` is on (WCAG 2.1.4).
 * @param {Press} press
 * @param {{letters?: boolean}} [options]
 */
export function action(press, { letters = true } = {}) {
  if (press.altKey) return null;
  const command = press.ctrlKey || press.metaKey;
  const single = press.key.length === 1;
  if (single && !command && !letters) return null;
  if (command) return press.shiftKey ? null : COMMANDS[press.key.toLowerCase()] ?? null;
  if (press.key === "=") return "larger"; // the key of + without Shift
  const named = NAMES[press.key] ?? press.key;
  const shifted = single && press.shiftKey && /[a-z]/i.test(press.key) ? `Shift+${press.key.toUpperCase()}` : named;
  return ACTIONS.get(shifted) ?? null;
}
