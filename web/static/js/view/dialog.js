// A dialog over the page, which is removed when it is closed. Its styles are in css/dialogs.css.

import { button, element } from "./dom.js";

/** @param {string} title @param {(Node | string)[]} children @param {string} [closing] the label of its last button */
export function openDialog(title, children, closing = "Close") {
  const close = button(closing, () => dialog.close());
  const dialog = element("dialog", { className: "sheet-dialog", "aria-labelledby": "dialog-title" }, [
    element("h2", { id: "dialog-title" }, [title]), ...children, close,
  ]);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
