// The dialog that lists the keyboard shortcuts.

import { BINDINGS } from "../model/keys.js";
import { openModal } from "./dialog.js";
import { button, element, stylesheet } from "./dom.js";

export class Help {
  /** @param {import("../core/signals.js").Signal<string>} letters "on" or "off" */
  constructor(letters) {
    const choice = element("input", { type: "checkbox", id: "letters", checked: letters.value === "on" });
    choice.addEventListener("change", () => {
      letters.value = choice.checked ? "on" : "off";
    });
    const rows = BINDINGS.map(({ keys, text }) => element("div", {}, [element("dt", {}, [element("kbd", {}, [keys])]), element("dd", {}, [text])]));
    this.dialog = element("dialog", { className: "sheet-dialog", id: "help", "aria-labelledby": "help-title" }, [
      element("h2", { id: "help-title" }, ["Keyboard shortcuts"]),
      element("dl", { className: "keys" }, rows),
      element("label", { className: "choice" }, [choice, " Use the keys that are single letters and signs"]),
      button("Close", () => this.dialog.close()),
    ]);
    document.body.append(this.dialog);
  }

  async open() {
    await stylesheet("dialogs");
    if (!this.dialog.open) openModal(this.dialog);
  }
}
