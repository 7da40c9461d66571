// <photo-viewer>: one photo over the list, at the address /photo/<id>.

import { ask, Problem } from "../core/api.js";
import { guard } from "../core/guard.js";
import { Sequence } from "../model/sequence.js";
import { openModal } from "./dialog.js";
import { button, element } from "./dom.js";
import { hide, keepFocus } from "./focus.js";
import { Info } from "./info.js";
import { Stage } from "./stage.js";

/** @typedef {import("../core/store.js").Photo} Photo */
/** @typedef {import("../core/store.js").Store} Store */
/**
 * @typedef {object} Options
 * @property {Store} store
 * @property {() => string[]} ids of the list, in order
 * @property {(id: string) => {index: number, total: number} | null} position
 * @property {(id: string) => Promise<boolean>} more loads what follows a photo; resolves to whether there was anything
 * @property {(id: string) => void} onShow the shown photo has changed
 * @property {() => void} onClose a person wants to go back to the list
 * @property {(id: string, action: string) => unknown} act does what the menu offers
 */

const IDLE = 3000; // milliseconds until the bar fades
const RENEWED = 60_000; // milliseconds in which an address is renewed once

export class PhotoViewer extends HTMLElement {
  /** @type {Options | null} */ #options = null;
  /** @type {string | null} */ #id = null;
  /** @type {Map<string, number>} */ #renewed = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #idle;
  /** @type {() => void} */ #remedy = () => {};

  /** @param {Options} options */
  setUp(options) {
    this.#options = options;
    this.sequence = new Sequence(options.ids);
    this.stage = new Stage({
      onStep: guard((step) => this.step(step)),
      onClose: () => options.onClose(),
      onLost: guard(() => this.#lost()),
      onLoaded: () => this.#clear("picture"),
    });
    this.status = element("p", { className: "sr", role: "status" });
    this.info = new Info((photo) => options.store.put(photo), (sentence) => this.#say(sentence));
    this.dialog = element("dialog", { className: "viewer", id: "viewer", "aria-label": "Photo" }, [
      this.#bar(), this.stage.element, this.#foot(), this.info.element, this.status,
    ]);
    this.dialog.addEventListener("keydown", guard((event) => this.#key(event)));
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      options.onClose();
    });
    for (const type of /** @type {const} */ (["pointermove", "pointerdown", "keydown", "focusin"])) {
      this.dialog.addEventListener(type, () => this.#wake());
    }
    this.replaceChildren(this.dialog);
    options.store.watch((changed) => this.#id && changed.has(this.#id) && this.#changed());
  }

  #bar() {
    const close = button("←", () => this.#given.onClose(), { className: "back" });
    close.setAttribute("aria-label", "Back to the list");
    close.title = "Back (Esc)";
    this.count = element("p", { className: "count" });
    /** @param {string} sign @param {string} label @param {() => void} run */
    const tool = (sign, label, run) => {
      const made = button(sign, run, { className: "tool" });
      made.setAttribute("aria-label", label);
      made.title = label;
      return made;
    };
    this.infoButton = tool("i", "Information", () => this.toggleInfo());
    this.infoButton.setAttribute("aria-controls", "info");
    this.infoButton.setAttribute("aria-expanded", "false");
    this.menu = element("div", { className: "menu", id: "viewer-menu", hidden: true });
    this.menuButton = tool("⋯", "More", () => this.#toggleMenu());
    this.menuButton.setAttribute("aria-controls", "viewer-menu");
    this.menuButton.setAttribute("aria-expanded", "false");
    const tools = element("div", { className: "tools" }, [
      tool("−", "Zoom out", () => this.stage?.zoomBy(-1)), tool("+", "Zoom in", () => this.stage?.zoomBy(1)),
      this.infoButton, this.menuButton, this.menu,
    ]);
    return element("header", { className: "over" }, [close, this.count, tools]);
  }

  #foot() {
    this.previous = button("‹", guard(() => this.step(-1)), { className: "previous" });
    this.previous.setAttribute("aria-label", "Previous photo");
    this.next = button("›", guard(() => this.step(1)), { className: "next" });
    this.next.setAttribute("aria-label", "Next photo");
    this.caption = element("p", { className: "caption", dir: "auto" });
    this.trouble = element("div", { className: "trouble", hidden: true });
    return element("footer", { className: "over" }, [this.previous, this.next, this.caption, this.trouble]);
  }

  get #given() {
    if (!this.#options) throw new Error("The viewer is not set up.");
    return this.#options;
  }

  /** Whether words that somebody has typed are not saved. */
  get unsaved() {
    return this.info?.unsaved ?? false;
  }

  /** The id of the shown photo, or null. */
  get shown() {
    return this.#id;
  }

  /** @param {string} id */
  async open(id) {
    const fresh = this.#id !== id;
    this.#id = id;
    this.sequence?.show(id);
    if (this.dialog && !this.dialog.open) openModal(this.dialog);
    this.#draw(fresh);
    this.#wake();
    if (fresh) {
      this.#given.onShow(id);
      this.#toggleMenu(false);
      await this.#load(id);
      this.#preload();
    }
  }

  close() {
    const id = this.#id;
    this.#id = null;
    clearTimeout(this.#idle);
    const { dialog } = this;
    if (dialog) keepFocus(dialog, () => dialog.close());
    return id;
  }

  /** @param {1 | -1} step */
  async step(step) {
    const from = this.#id;
    if (!from) return;
    let target = this.sequence?.step(step) ?? null;
    if (target === null && step > 0 && (await this.#given.more(from))) target = this.sequence?.step(step) ?? null;
    if (target === null || this.#id !== from) return;
    await this.open(target);
  }

  /** @param {string} id @param {{fresh?: boolean}} [options] fresh: its addresses have expired */
  async #load(id, { fresh = false } = {}) {
    try {
      const image = await ask("GET", `/api/v1/images/${id}`, { fresh });
      if (this.#id === id) this.#clear("photo");
      this.#given.store.put(image);
    } catch (error) {
      if (this.#id !== id) return;
      if (error instanceof Problem && error.status === 404) this.#gone();
      else this.#trouble("photo", /** @type {Error} */ (error).message, "Try again", () => this.#load(id, { fresh }));
    }
  }

  #changed() {
    const id = this.#id;
    const photo = id ? this.#given.store.get(id) : undefined;
    if (!photo || photo.status === "deleted") this.#gone();
    else this.#draw(false);
  }

  /** Called when the changes feed has news of the shown photo: its row lacks what the drawer shows. */
  async refresh() {
    if (this.#id) await this.#load(this.#id);
  }

  #gone() {
    const id = this.#id;
    this.#trouble("photo", "This photo is no longer in the gallery.", "Next photo", async () => {
      await this.step(1);
      if (this.#id === id) this.#given.onClose(); // there is no next one
    });
    this.#say("This photo is no longer in the gallery.");
  }

  /** @param {boolean} fresh */
  #draw(fresh) {
    const photo = this.#id ? this.#given.store.get(this.#id) : undefined;
    if (!photo || !this.caption || !this.previous || !this.next || !this.count) return;
    this.stage?.show(photo, { fresh });
    if (fresh) this.#clear();
    const words = photo.caption || photo.name;
    const changed = this.caption.textContent !== words;
    this.caption.textContent = words;
    this.caption.lang = photo.caption_language ?? "";
    const position = this.#given.position(photo.id);
    this.count.textContent = position ? `${position.index + 1} of ${position.total}` : "";
    document.title = `${words} – Caption Gallery`;
    const ids = this.#given.ids();
    disable(this.previous, ids[0] === photo.id);
    disable(this.next, position !== null && position.index === position.total - 1);
    this.info?.show(photo);
    if (fresh || changed) this.#say(`${position ? `Photo ${position.index + 1} of ${position.total}: ` : ""}${words}`);
  }

  #preload() {
    for (const step of /** @type {const} */ ([1, -1])) {
      const id = this.sequence?.step(step);
      const photo = id ? this.#given.store.get(id) : undefined;
      if (!id || !photo) continue;
      if (photo.display_url) new Image().src = photo.display_url;
      else this.#prepare(id).catch(() => {}); // reported when it is stepped to
    }
  }

  /** @param {string} id */
  async #prepare(id) {
    const image = await ask("GET", `/api/v1/images/${id}`);
    this.#given.store.put(image);
    if (image.display_url) new Image().src = image.display_url;
  }

  /** The display image does not load: its address may have expired. */
  async #lost() {
    const id = this.#id;
    if (!id) return;
    this.stage?.lose();
    if (Date.now() - (this.#renewed.get(id) ?? -RENEWED) < RENEWED) {
      this.#trouble("picture", "The photo cannot be shown at the moment.", "Try again", () => {
        this.#renewed.delete(id);
        return this.#load(id, { fresh: true });
      });
      return;
    }
    this.#renewed.set(id, Date.now());
    await this.#load(id, { fresh: true });
  }

  /**
   * Say what is wrong, beside one button. What is said already stays as it is: somebody may be about to press it.
   * @param {"photo" | "picture"} about @param {string} sentence @param {string} label @param {() => unknown} run
   */
  #trouble(about, sentence, label, run) {
    if (!this.trouble) return;
    this.#remedy = run;
    if (this.trouble.dataset.about === about && this.trouble.dataset.sentence === sentence) return;
    const again = button(label, guard(() => this.#remedy()), { className: "button small" });
    this.trouble.replaceChildren(element("p", {}, [sentence]), again);
    Object.assign(this.trouble.dataset, { about, sentence });
    this.trouble.hidden = false;
    again.focus();
  }

  /** @param {"photo" | "picture"} [about] what is well again; all of it by default */
  #clear(about) {
    if (!this.trouble || (about && this.trouble.dataset.about !== about)) return;
    hide(this.trouble, true);
    this.trouble.replaceChildren();
    delete this.trouble.dataset.about;
    delete this.trouble.dataset.sentence;
  }

  /** @param {string} sentence */
  #say(sentence) {
    if (this.status) this.status.textContent = sentence;
  }

  #wake() {
    this.dialog?.classList.remove("idle");
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      const busy = this.dialog?.querySelector(".over :focus-visible") || !this.menu?.hidden;
      if (!busy) this.dialog?.classList.add("idle");
    }, IDLE);
  }

  /** @param {boolean} [open] */
  toggleInfo(open = this.info?.element.hidden) {
    if (!this.info || !this.dialog) return;
    hide(this.info.element, !open, this.infoButton);
    this.dialog.classList.toggle("with-info", open);
    this.infoButton?.setAttribute("aria-expanded", String(open));
  }

  /** @param {boolean} [open] */
  #toggleMenu(open = this.menu?.hidden) {
    const photo = this.#id ? this.#given.store.get(this.#id) : undefined;
    if (!this.menu) return;
    hide(this.menu, !open || !photo, this.menuButton);
    this.menuButton?.setAttribute("aria-expanded", String(!this.menu.hidden));
    if (this.menu.hidden || !photo) return;
    /** @param {string} label @param {string} action */
    const item = (label, action) => button(label, guard(() => {
      this.#toggleMenu(false);
      return this.#given.act(photo.id, action);
    }), { className: "" });
    const items = [element("a", { className: "details", href: `/images/${photo.id}` }, ["Details"])];
    if (!photo.read_only) {
      if (photo.original_url) items.push(element("a", { href: `/images/${photo.id}/original` }, ["Download the original"]));
      items.push(/** @type {any} */ (item("Describe again", "describe")), /** @type {any} */ (item("Move to the trash", "trash")));
    }
    this.menu.replaceChildren(...items);
    items[0]?.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Escape" && this.menu && !this.menu.hidden) {
      event.preventDefault();
      event.stopPropagation();
      this.#toggleMenu(false);
      return undefined;
    }
    if (event.altKey || event.ctrlKey || event.metaKey || this.info?.editing) return undefined;
    /** @type {Record<string, [number, number]>} */
    const ways = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const way = ways[event.key];
    if (!way) return undefined;
    if (this.stage?.zoomed) {
      event.preventDefault();
      this.stage.pan(80 * way[0], 80 * way[1]);
      return undefined;
    }
    if (way[0] === 0) return undefined;
    event.preventDefault();
    return this.step(way[0] > 0 ? -1 : 1);
  }
}

/** @param {HTMLButtonElement} made @param {boolean} disabled at an end of the list, which it has led to */
function disable(made, disabled) {
  keepFocus(made, () => {
    made.disabled = disabled;
  });
}

customElements.define("photo-viewer", PhotoViewer);
