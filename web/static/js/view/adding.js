// "Add photos" on another page leads to this one with #add: only a click on this page may open the file picker.

import { openDialog } from "./dialog.js";
import { button, element, stylesheet } from "./dom.js";

/** @param {HTMLInputElement} input of the files */
export async function offerPicker(input) {
  history.replaceState(history.state, "", location.pathname + location.search);
  await stylesheet("dialogs");
  const choose = button("Choose photos", () => {
    dialog.close();
    input.click();
  }, { className: "button primary small" });
  const hint = element("p", {}, ["You can also drop or paste photos anywhere on this page."]);
  const dialog = openDialog("Add photos", [hint, element("div", { className: "buttons" }, [choose])], "Not now");
  document.addEventListener("drop", () => dialog.close(), { once: true });
}
