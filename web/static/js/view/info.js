// The information drawer of the viewer: words that are edited in place, their history, and facts.

import { ask, Problem } from "../core/api.js";
import { guard } from "../core/guard.js";
import { limits } from "../core/limits.js";
import { fileSize } from "../model/size.js";
import { moment } from "../model/times.js";
import { button, element, typing } from "./dom.js";
import { hide, keepFocus } from "./focus.js";

/** @typedef {import("../core/store.js").Photo} Photo */
/** @typedef {"caption" | "alt_text" | "tags"} Field */
/** @typedef {Partial<Record<Field, string | string[]>>} Shown words of a photo as the API has them */
/** @typedef {{id: number, field: Field, value: string | string[], source_label: string, account: string | null, created_at: string, current: boolean}} Version */

/** @type {{field: Field, label: string, hint: string, length: number, rows: number}[]} */
const FIELDS = [
  { field: "caption", label: "Caption", hint: "", length: limits.caption_length, rows: 3 },
  { field: "alt_text", label: "Alt text", hint: "What somebody who cannot see the photo needs to know.", length: limits.alt_text_length, rows: 3 },
  { field: "tags", label: "Tags", hint: "Separated by commas.", length: limits.max_tags * (limits.tag_length + 2), rows: 2 },
];

/** @param {string | string[] | null} [value] */
const written = (value) => (Array.isArray(value) ? value.join(", ") : (value ?? ""));

/** @param {Photo} photo @param {Field} field */
const text = (photo, field) => written(photo[field]);

/** @param {string} field @param {string} value */
const sent = (field, value) => (field === "tags" ? value.split(",").map((tag) => tag.trim()).filter(Boolean) : value);

const SAVING = "Saving …";

/** @param {Field} field @param {Photo} photo */
const draftOf = (field, photo) => `${field} ${photo.id}`;

export class Info {
  /** @type {Photo | null} */ #photo = null;
  /** @type {Shown} */ #shown = {}; // which a change replaces
  // By field and photo: what is typed and not saved while another photo is shown, saves on their way, and refused ones
  /** @type {Map<string, string>} */ #drafts = new Map();
  /** @type {Map<string, number>} */ #saves = new Map();
  /** @type {Map<string, number>} */ #conflicts = new Map();
  #saving = Promise.resolve();
  #facts = "";

  /**
   * @param {(photo: Photo) => void} onSaved
   * @param {(sentence: string) => void} say
   */
  constructor(onSaved, say) {
    this.onSaved = onSaved;
    this.say = say;
    /** @type {Map<Field, {area: HTMLTextAreaElement, state: HTMLElement, others: HTMLElement, versions: HTMLElement}>} */
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
    const others = element("div", { hidden: true });
    const versions = element("ul", { className: "versions", role: "list", hidden: true });
    const history = button("History", guard(() => this.#history(field)), { className: "button small quiet", hint: `of the ${label.toLowerCase()}` });
    history.setAttribute("aria-expanded", "false");
    state.dataset.hint = hint;
    area.addEventListener("change", guard(() => this.#save(field, { decided: false })));
    area.addEventListener("keydown", guard((event) => this.#key(event, field)));
    this.fields.set(field, { area, state, others, versions });
    const head = element("div", { className: "head" }, [element("label", { htmlFor: id }, [label]), history]);
    return element("div", { className: "field" }, [head, area, state, others, versions]);
  }

  /** @param {KeyboardEvent} event @param {Field} field */
  #key(event, field) {
    const area = this.fields.get(field)?.area;
    if (!area || !this.#photo) return;
    if (event.key === "Escape" && area.value !== written(this.#shown[field])) {
      event.stopPropagation(); // the first Escape takes the typing back, the next one leaves
      event.preventDefault();
      this.#takeBack(field);
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

  /**
   * Store what is typed in a field: one request at a time, because the words of one are what the next one replaces.
   * @param {Field} field
   * @param {{decided?: boolean}} [options] decided: a person wants it; otherwise nothing happens while others' words are shown
   */
  #save(field, { decided = true } = {}) {
    const part = this.fields.get(field);
    const [photo, shown] = [this.#photo, this.#shown];
    if (!photo || !part || (!decided && !part.others.hidden)) return undefined;
    const [{ value }, key] = [part.area, draftOf(field, photo)];
    const conflicts = this.#conflicts.get(key);
    this.#saves.set(key, (this.#saves.get(key) ?? 0) + 1);
    const saved = this.#saving.then(() => {
      if (conflicts === this.#conflicts.get(key)) return this.#send(field, photo, shown, value);
      return undefined; // others' words have come since: the person had not seen them
    }).finally(() => this.#saves.set(key, (this.#saves.get(key) ?? 1) - 1));
    this.#saving = saved.catch(() => {});
    return saved;
  }

  /**
   * @param {Field} field @param {Photo} photo @param {Shown} shown the words that the field has shown @param {string} value
   */
  async #send(field, photo, shown, value) {
    const area = this.fields.get(field)?.area;
    const here = () => this.#photo?.id === photo.id;
    if (!area || value === written(shown[field])) return here() ? this.#settle(field) : undefined; // Enter and the change event save once
    if (here()) this.#state(field, SAVING);
    const before = written(shown[field]);
    try {
      const body = { [field]: sent(field, value), shown: { [field]: shown[field] } };
      const image = await ask("PATCH", `/api/v1/images/${photo.id}`, { body });
      if (this.#drafts.get(draftOf(field, photo)) === value) this.#drafts.delete(draftOf(field, photo));
      this.onSaved(image);
      const stored = image[field] ?? "";
      shown[field] = stored;
      if (!here()) return;
      this.#shown[field] = stored; // the person may have left and come back meanwhile
      if (area.value === value || area.value === before) area.value = written(shown[field]); // or it was taken back too late
      this.#settle(field);
      this.#state(field, "Saved. Your text is never overwritten automatically.");
      this.say("Saved.");
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (here()) await this.#refused(field, photo, shown, error);
      if (here() && this.element.checkVisibility()) return;
      throw new Problem(error.status, error.code, `“${value}” is not saved. ${error.message}`, error.retryAfter);
    }
  }

  /**
   * Say why a text is not saved. Words that others have stored meanwhile are shown beside it, and the next try replaces them.
   * @param {Field} field @param {Photo} photo @param {Shown} shown @param {Problem} problem
   */
  async #refused(field, photo, shown, problem) {
    this.say("Not saved.");
    const key = draftOf(field, photo);
    if (problem.code === "changed") this.#conflicts.set(key, (this.#conflicts.get(key) ?? 0) + 1);
    const image = problem.code === "changed" ? await ask("GET", `/api/v1/images/${photo.id}`).catch(() => null) : null;
    if (image) {
      this.onSaved(image);
      shown[field] = image[field] ?? "";
    }
    if (this.#photo?.id !== photo.id) return;
    this.#state(field, image ? problem.message : `Not saved: ${problem.message} Press Enter to try again.`, true);
    if (image) this.#compare(field, image);
  }

  /** Show the words that are stored, which the next save replaces, beside those that are typed. @param {Field} field @param {Photo} photo */
  #compare(field, photo) {
    const part = this.fields.get(field);
    if (!part) return;
    this.#shown[field] = photo[field] ?? "";
    part.others.replaceChildren(
      element("p", { className: "hint" }, ["Now: ", element("span", { dir: "auto" }, [text(photo, field) || "(empty)"])]),
      element("div", { className: "buttons" }, [
        button("Save your text", guard(() => this.#save(field))), button("Use the present text", () => this.#takeBack(field)),
      ]),
    );
    part.others.hidden = false;
  }

  /** Keep what is typed and not saved until its photo is shown again. */
  #keepDrafts() {
    if (!this.#photo) return;
    for (const [field, { area }] of this.fields) {
      if (area.value !== written(this.#shown[field])) this.#drafts.set(draftOf(field, this.#photo), area.value);
    }
  }

  /** Show the words of a field as they are stored. @param {Field} field */
  #takeBack(field) {
    const area = this.fields.get(field)?.area;
    if (!area) return;
    area.value = written(this.#shown[field]);
    this.#settle(field);
    this.#state(field, "Not changed.");
  }

  /** The words of others are decided on. @param {Field} field */
  #settle(field) {
    const part = this.fields.get(field);
    if (part) hide(part.others, true, part.area);
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
   * Show a photo. Text that is being edited stays, also while another photo is shown.
   * @param {Photo} photo
   */
  show(photo) {
    const other = this.#photo?.id !== photo.id;
    if (other) this.#keepDrafts();
    this.#photo = photo;
    if (other) {
      this.#close();
      this.#shown = {};
    }
    const editable = !photo.read_only && photo.tags !== undefined;
    hide(this.form, !editable);
    for (const { field } of FIELDS) {
      const { area, others } = this.fields.get(field) ?? {};
      const words = text(photo, field);
      if (!area || !others) continue;
      if (!other && area.value !== written(this.#shown[field])) {
        if (editable && !others.hidden && words !== written(this.#shown[field])) keepFocus(others, () => this.#compare(field, photo), area);
        continue;
      }
      if (other || area.value !== words) {
        area.value = words;
        this.#settle(field);
        this.#state(field, "");
      }
      this.#shown[field] = photo[field] ?? (field === "tags" ? [] : "");
      if (editable) this.#restoreDraft(field, photo);
    }
    this.similar.href = `/?similar=${photo.id}`;
    this.#read(photo, editable);
  }

  /** @param {Field} field @param {Photo} photo */
  #restoreDraft(field, photo) {
    const [part, key] = [this.fields.get(field), draftOf(field, photo)];
    const draft = this.#drafts.get(key);
    this.#drafts.delete(key);
    if (!part || draft === undefined || draft === text(photo, field)) return;
    part.area.value = draft;
    if (this.#saves.get(key)) {
      this.#state(field, SAVING);
      return;
    }
    this.#state(field, "Your text is not saved.", true);
    this.#compare(field, photo);
  }

  /** Whether text is left with other photos that is not saved. */
  get unsaved() {
    return this.#drafts.size > 0;
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
