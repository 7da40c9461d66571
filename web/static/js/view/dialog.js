// Modal dialogs. The styles of those over the page are in css/dialogs.css.

import { button, element } from "./dom.js";
import { frontDialog, refocus } from "./focus.js";

/** Put the messages into the dialog in front: what is outside of a modal dialog can be neither seen nor pressed. */
function moveMessages() {
  const messages = document.querySelector("toast-stack");
  const place = frontDialog() ?? document.getElementById("main");
  if (messages && place && messages.parentNode !== place) place.append(messages);
}

/**
 * Open a modal dialog. The messages are in it while it is open; after it, the focus is not lost where what had it is gone.
 * @param {HTMLDialogElement} dialog
 */
export function openModal(dialog) {
  const opener = document.activeElement;
  dialog.addEventListener("close", () => {
    moveMessages();
    if (opener !== document.body) refocus();
  }, { once: true });
  dialog.showModal();
  moveMessages();
}

/**
 * Open a dialog over the page, which is removed when it is closed.
 * @param {string} title @param {(Node | string)[]} children @param {string} [closing] the label of its last button
 */
export function openDialog(title, children, closing = "Close") {
  const close = button(closing, () => dialog.close());
  const dialog = element("dialog", { className: "sheet-dialog", "aria-labelledby": "dialog-title" }, [
    element("h2", { id: "dialog-title" }, [title]), ...children, close,
  ]);
  document.body.append(dialog);
  openModal(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  return dialog;
}
