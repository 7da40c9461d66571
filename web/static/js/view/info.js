// The information drawer of the viewer: words that are edited in place, their history, and facts.

import { ask } from "../core/api.js";
import { guard } from "../core/guard.js";
import { limits } from "../core/limits.js";
import { fileSize } from "../model/size.js";
import { moment } from "../model/times.js";
import { button, element, typing } from "./dom.js";
import { hide, keepFocus } from "./focus.js";

/** @typedef {import("../core/store.js").Photo} Photo */
/** @typedef {"caption" | "alt_text" | "tags"} Field */
/** @typedef {{id: number, field: Field, value: string | string[], source_label: string, account: string | null, created_at: string, current: boolean}} Version */

/** @type {{field: Field, label: string, hint: string, length: number, rows: number}[]} */
const FIELDS = [
  { field: "caption", label: "Caption", hint: "", length: limits.caption_length, rows: 3 },
  { field: "alt_text", label: "Alt text", hint: "What somebody who cannot see the photo needs to know.", length: limits.alt_text_length, rows: 3 },
  { field: "tags", label: "Tags", hint: "Separated by commas.", length: limits.max_tags * (limits.tag_length + 2), rows: 2 },
];

/** @param {Photo} photo @param {Field} field */
function text(photo, field) {
  const value = photo[field];
  return Array.isArray(value) ? value.join(", ") : (value ?? "");
}

/** @param {string} field @param {string} value */
const sent = (field, value) => (field === "tags" ? value.split(",").map((tag) => tag.trim()).filter(Boolean) : value);

export class Info {
  /** @type {Photo | null} */ #photo = null;
  /** @type {Record<string, string>} */ #saved = {};
  #facts = "";

  /**
   * @param {(photo: Photo) => void} onSaved
   * @param {(sentence: string) => void} say
   */
  constructor(onSaved, say) {
    this.onSaved = onSaved;
    this.say = say;
    /** @type {Map<Field, {area: HTMLTextAreaElement, state: HTMLElement, versions: HTMLElement}>} */
    this.fields = new Map();
    this.form = element("form", { className: "edit" }, FIELDS.map((each) => this.#field(each)));
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.words = element("div", { className: "read" });
    this.list = element("dl", { className: "facts" });
    this.similar = element("a", { className: "button small", textContent: "Similar photos" });
    this.similar.dataset.list = "";
    this.element = element("aside", { className: "info", id: "info", hidden: true, "aria-label": "Information" }, [this.words, this.form, this.list, this.similar]);
  }

  /** @param {{field: Field, label: string, hint: string, length: number, rows: number}} field */
  #field({ field, label, hint, length, rows }) {
    const id = `edit-${field}`;
    const area = element("textarea", { id, name: field, rows, maxLength: length, dir: "auto", "aria-describedby": `${id}-state` });
    const state = element("p", { className: "hint", id: `${id}-state` }, [hint]);
    const versions = element("ul", { className: "versions", role: "list", hidden: true });
    const history = button("History", guard(() => this.#history(field)), { className: "button small quiet", hint: `of the ${label.toLowerCase()}` });
    history.setAttribute("aria-expanded", "false");
    state.dataset.hint = hint;
    area.addEventListener("change", guard(() => this.#save(field)));
    area.addEventListener("keydown", guard((event) => this.#key(event, field)));
    this.fields.set(field, { area, state, versions });
    const head = element("div", { className: "head" }, [element("label", { htmlFor: id }, [label]), history]);
    return element("div", { className: "field" }, [head, area, state, versions]);
  }

  /** @param {KeyboardEvent} event @param {Field} field */
  #key(event, field) {
    const area = this.fields.get(field)?.area;
    if (!area || !this.#photo) return;
    if (event.key === "Escape" && area.value !== this.#saved[field]) {
      event.stopPropagation(); // the first Escape takes the typing back, the next one leaves
      event.preventDefault();
      area.value = this.#saved[field] ?? "";
      this.#state(field, "Not changed.");
    }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      return this.#save(field);
    }
    return undefined;
  }

  /** @param {Field} field @param {string} words @param {boolean} [bad] */
  #state(field, words, bad = false) {
    const state = this.fields.get(field)?.state;
    if (!state) return;
    state.textContent = words || (state.dataset.hint ?? "");
    state.classList.toggle("why", bad);
  }

  /** @param {Field} field */
  async #save(field) {
    const photo = this.#photo;
    const area = this.fields.get(field)?.area;
    if (!photo || !area || area.value === this.#saved[field]) return;
    const value = area.value;
    const before = this.#saved[field] ?? "";
    this.#saved[field] = value; // Enter and the change event save once
    this.#state(field, "Saving …");
    try {
      const image = await ask("PATCH", `/api/v1/images/${photo.id}`, { body: { [field]: sent(field, value) } });
      this.onSaved(image);
      if (this.#photo?.id !== photo.id) return;
      this.#saved[field] = text(image, field);
      if (area.value === value) area.value = this.#saved[field] ?? "";
      this.#state(field, "Saved. Your text is never overwritten automatically.");
      this.say("Saved.");
    } catch (error) {
      if (this.#photo?.id !== photo.id) throw error;
      this.#saved[field] = before;
      this.#state(field, `Not saved: ${/** @type {Error} */ (error).message} Press Enter to try again.`, true);
      this.say("Not saved.");
    }
  }

  /** @param {Field} field */
  async #history(field) {
    const part = this.fields.get(field);
    const photo = this.#photo;
    if (!part || !photo) return;
    const toggle = part.versions.parentElement?.querySelector(".head button");
    const opening = part.versions.hidden;
    part.versions.hidden = !opening;
    toggle?.setAttribute("aria-expanded", String(opening));
    if (!opening) return;
    /** @type {{versions: Version[]}} */
    const { versions } = await ask("GET", `/api/v1/images/${photo.id}/history`);
    const rows = versions.filter((version) => version.field === field).map((version) => this.#version(photo, version));
    keepFocus(part.versions, () => part.versions.replaceChildren(...(rows.length ? rows : [element("li", {}, ["There is no text yet."])])), toggle);
  }

  /** @param {Photo} photo @param {Version} version */
  #version(photo, version) {
    const words = Array.isArray(version.value) ? version.value.join(", ") : version.value;
    const by = `${version.account ?? version.source_label}, ${moment(version.created_at)}`;
    const row = element("li", {}, [element("p", { dir: "auto" }, [words || "(empty)"]), element("p", { className: "hint" }, [by])]);
    if (version.current) row.append(element("p", { className: "hint" }, ["Shown now"]));
    else if (version.id > 0) {
      row.append(button("Use this text", guard(async () => {
        this.onSaved(await ask("POST", `/api/v1/images/${photo.id}/history/${version.id}/restore`));
        this.say("The earlier text is back.");
        this.#close();
      })));
    }
    return row;
  }

  #close() {
    for (const { versions } of this.fields.values()) {
      const toggle = versions.parentElement?.querySelector(".head button");
      toggle?.setAttribute("aria-expanded", "false");
      hide(versions, true, toggle);
    }
  }

  /**
   * Show a photo. Text that is being edited stays.
   * @param {Photo} photo
   */
  show(photo) {
    const other = this.#photo?.id !== photo.id;
    this.#photo = photo;
    if (other) this.#close();
    const editable = !photo.read_only && photo.tags !== undefined;
    hide(this.form, !editable);
    for (const { field } of FIELDS) {
      const area = this.fields.get(field)?.area;
      const words = text(photo, field);
      if (!area || (!other && area.value !== (this.#saved[field] ?? ""))) continue;
      if (other) this.#state(field, "");
      if (area.value !== words) area.value = words;
      this.#saved[field] = words;
    }
    this.similar.href = `/?similar=${photo.id}`;
    this.#read(photo, editable);
  }

  /** @param {Photo} photo @param {boolean} editable */
  #read(photo, editable) {
    const words = [];
    if (photo.source_text) words.push(element("p", { className: "hint source" }, [photo.source_text]));
    if (!editable) words.push(...FIELDS.map(({ field, label }) => pair(label, text(photo, field))));
    if (photo.visible_text) words.push(pair("Text in the photo", photo.visible_text));
    const facts = [
      ["File", photo.name],
      ["Dimensions", photo.width && photo.height ? `${photo.width} × ${photo.height} pixels` : ""],
      ["Size", photo.size ? fileSize(photo.size) : ""],
      ["Taken", photo.taken_at ? moment(photo.taken_at) : ""],
      ["Camera", photo.camera ?? ""],
      ["Uploaded", photo.uploaded_at ? moment(photo.uploaded_at) : ""],
      ["Uploaded by", photo.owner ?? ""],
    ];
    const state = JSON.stringify([editable, facts, photo.source_text, photo.visible_text, photo.caption, photo.alt_text, photo.tags]);
    if (state === this.#facts) return; // what is selected stays selected
    this.#facts = state;
    this.words.replaceChildren(...words);
    this.list.replaceChildren(...facts.filter(([, value]) => value).map(([term, value]) => pair(term ?? "", value ?? "", true)));
  }

  /** Whether a field is being edited. */
  get editing() {
    return this.form.contains(document.activeElement) && typing(document.activeElement);
  }

  /** @param {Field} field */
  edit(field) {
    this.fields.get(field)?.area.focus();
  }
}

/** @param {string} term @param {string} value @param {boolean} [fact] */
function pair(term, value, fact = false) {
  const parts = [element("dt", {}, [term]), element("dd", { dir: "auto" }, [value])];
  return fact ? element("div", {}, parts) : element("dl", { className: "said" }, [element("div", {}, parts)]);
}
