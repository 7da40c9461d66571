// Sources of files: drag and drop anywhere on the page (folders too), paste, and the file picker.

import { guard } from "../core/guard.js";

/**
 * @typedef {object} Options
 * @property {(files: File[], unreadable: string[]) => unknown} take
 * @property {() => unknown} prepare called when files are about to come
 * @property {HTMLElement} overlay shown while files are dragged over the page
 * @property {HTMLInputElement} input
 * @property {(HTMLElement | null)[]} openers open the file picker
 */

/**
 * What a drop has brought: read while its event is handled, because its items are empty once the handler returns.
 * @typedef {{files: File[], entries: FileSystemEntry[]}} Drop
 */

/**
 * Returns what takes a drop that came before this script.
 * @param {Options} options
 * @returns {(drop: Drop) => void}
 */
export function gather({ take, prepare, overlay, input, openers }) {
  for (const opener of openers) {
    if (!opener) continue;
    opener.setAttribute("role", "button"); // without scripts it is a link to the plain form
    opener.addEventListener("click", (event) => {
      event.preventDefault();
      guard(prepare)();
      input.click();
    });
    opener.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      opener.click();
    });
  }
  input.addEventListener("change", () => {
    guard(take)([...(input.files ?? [])], []);
    input.value = "";
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    guard(take)(files, []);
  });
  const takeDrop = guard(async (/** @type {Drop} */ drop) => {
    const { files, unreadable } = await read(drop);
    await take(files, unreadable);
  });
  drops(takeDrop, prepare, overlay);
  return takeDrop;
}

/** @param {(drop: Drop) => void} take @param {Options["prepare"]} prepare @param {HTMLElement} overlay */
function drops(take, prepare, overlay) {
  let depth = 0; // dragenter and dragleave fire for every element on the way
  /** @param {DragEvent} event */
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  /** @param {boolean} shown */
  const show = (shown) => {
    overlay.hidden = !shown;
  };
  document.addEventListener("dragenter", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    if (depth === 0) guard(prepare)();
    depth += 1;
    show(true);
  });
  document.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  });
  document.addEventListener("dragleave", (event) => {
    if (!carries(event)) return;
    depth = Math.max(0, depth - 1);
    if (depth === 0) show(false);
  });
  document.addEventListener("drop", (event) => {
    if (!carries(event) || !event.dataTransfer) return;
    event.preventDefault();
    depth = 0;
    show(false);
    const { files, items } = event.dataTransfer;
    take({ files: [...files], entries: [...items].flatMap((item) => item.webkitGetAsEntry?.() ?? []) });
  });
}

/**
 * The files of a drop. Entries that cannot be read are named, and lose nothing else.
 * @param {Drop} drop
 */
async function read({ files, entries }) {
  if (!entries.some((entry) => entry.isDirectory)) return { files, unreadable: [] };
  const { collect } = await import("../model/entries.js");
  return collect(entries);
}
