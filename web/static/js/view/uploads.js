// <upload-panel>: how far the uploads are, in one line at the bottom; and what was not accepted, grouped by reason.

import { guard } from "../core/guard.js";
import { files, grouped, summary } from "../model/batch.js";
import { left } from "../model/ledger.js";
import { button, element } from "./dom.js";
import { hide, keepFocus } from "./focus.js";

/** @typedef {import("../core/uploads.js").Uploads} Uploads */

const SHOWN = 4000; // milliseconds that the line stays after the last photo was described
const NAMES = 50; // names of refused files that are listed

export class UploadPanel extends HTMLElement {
  /** @type {Uploads | null} */ #uploads = null;
  #frame = 0;
  /** @type {ReturnType<typeof setTimeout> | null} */ #leaving = null;

  /** @param {Uploads} uploads */
  setUp(uploads) {
    this.#uploads = uploads;
    this.text = element("p", { className: "line" });
    this.bar = element("progress", { max: 1, value: 0, "aria-label": "All uploads" });
    this.buttons = element("div", { className: "buttons" });
    this.row = element("div", { className: "tray", id: "tray", hidden: true }, [this.text, this.bar, this.buttons]);
    this.refused = element("section", { className: "refusals", id: "refused", hidden: true, "aria-label": "Files that were not accepted" });
    this.present = element("section", { className: "refusals", id: "present", hidden: true, "aria-label": "Photos that are here already" });
    this.lost = element("section", { className: "refusals", id: "lost", hidden: true, "aria-label": "Uploads that were interrupted" });
    this.replaceChildren(this.refused, this.present, this.lost, this.row);
  }

  /** Draw with the next frame. */
  refresh() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(guard(() => {
      this.#frame = 0;
      keepFocus(this, () => this.#draw());
    }));
  }

  #draw() {
    const uploads = this.#uploads;
    if (!uploads || !this.row || !this.text || !this.bar) return;
    const { progress } = uploads;
    const { total, described, uploaded } = progress;
    const over = total === described;
    this.text.textContent = uploads.paused ? `Paused: ${uploaded} of ${total} uploaded` : summary(progress);
    this.bar.value = total ? (uploaded + described) / (2 * total) : 0;
    this.bar.hidden = over;
    this.#actions(uploads);
    if (total === 0) {
      this.row.hidden = true; // what was added is here already
    } else if (!over) {
      if (this.#leaving) clearTimeout(this.#leaving);
      this.#leaving = null;
      this.row.hidden = false;
    } else if (!this.row.hidden) {
      this.#leaving ??= setTimeout(guard(() => {
        this.#leaving = null;
        if (this.row) hide(this.row, true);
      }), SHOWN);
    }
    this.#refusals(uploads);
    this.#presentFiles(uploads);
    this.#lostFiles(uploads);
  }

  /** @param {Uploads} uploads */
  #presentFiles(uploads) {
    const { present } = uploads;
    const box = this.present;
    if (!box || box.dataset.count === String(present.length)) return;
    box.dataset.count = String(present.length);
    box.hidden = present.length === 0;
    if (box.hidden) return;
    const rows = present.slice(0, NAMES).map(({ file, image }) => element("li", { dir: "auto" }, [element("a", { href: `/photo/${image.id}` }, [file.name || "Pasted photo"])]));
    if (present.length > NAMES) rows.push(element("li", {}, [`and ${present.length - NAMES} more`]));
    const again = button("Upload anyway", guard(() => uploads.addPresent()));
    const close = button("Dismiss", guard(() => {
      uploads.present = [];
      this.refresh();
    }));
    const heading = present.length === 1 ? "1 photo is here already" : `${present.length} photos are here already`;
    box.replaceChildren(element("h2", {}, [heading]), element("ul", { role: "list" }, rows), element("div", { className: "buttons" }, [again, close]));
  }

  /** @param {Uploads} uploads */
  #lostFiles(uploads) {
    const { lost } = uploads;
    const box = this.lost;
    if (!box || box.dataset.count === String(lost.length)) return;
    box.dataset.count = String(lost.length);
    box.hidden = lost.length === 0;
    if (box.hidden) return;
    const choose = button("Choose the files again", () => document.getElementById("files")?.click());
    const forget = button("Give up", guard(() => uploads.forgetLost()));
    const text = "Drop or choose the same files again to continue; what has arrived is not sent twice.";
    box.replaceChildren(
      element("h2", {}, [`Interrupted uploads: ${left(lost)}`]),
      element("p", {}, [text]),
      element("div", { className: "buttons" }, [choose, forget]),
    );
  }

  /** @param {Uploads} uploads */
  #actions(uploads) {
    const stopped = uploads.progress.waiting;
    const wanted = uploads.paused ? "resume" : uploads.busy ? "cancel" : stopped ? "again" : "";
    if (!this.buttons || this.buttons.dataset.shown === wanted) return;
    this.buttons.dataset.shown = wanted;
    this.buttons.replaceChildren();
    if (wanted === "resume") this.buttons.append(button("Continue", guard(() => uploads.resume())));
    if (wanted === "cancel") this.buttons.append(button("Cancel all", guard(() => uploads.cancelAll())));
    if (wanted === "again") this.buttons.append(button("Try all again", guard(() => uploads.againAll())));
  }

  /** @param {Uploads} uploads */
  #refusals(uploads) {
    const { refused } = uploads;
    const box = this.refused;
    if (!box || box.dataset.count === String(refused.length)) return;
    box.dataset.count = String(refused.length);
    box.hidden = refused.length === 0;
    if (box.hidden) return;
    const rows = grouped(refused).map(({ text, names }) => {
      const listed = names.slice(0, NAMES).map((name) => element("li", { dir: "auto" }, [name]));
      if (names.length > NAMES) listed.push(element("li", {}, [`and ${names.length - NAMES} more`]));
      const row = element("li", {}, [element("p", { className: "why" }, [text])]);
      if (names.length > 1) row.append(element("details", {}, [element("summary", {}, ["Names"]), element("ul", {}, listed)]));
      return row;
    });
    const close = button("Dismiss", guard(() => {
      uploads.refused = [];
      this.refresh();
    }));
    const heading = element("h2", {}, [`${files(refused.length)} not accepted`]);
    box.replaceChildren(heading, element("ul", { role: "list" }, rows), close);
  }
}

customElements.define("upload-panel", UploadPanel);
