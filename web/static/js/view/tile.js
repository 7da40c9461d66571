// One photo of the timeline.

import { button, element } from "./dom.js";
import { keepFocus } from "./focus.js";

/** @typedef {import("../core/store.js").Photo} Photo */
/** @typedef {import("../model/layout.js").Box} Box */

const FAILED = new Set(["failed", "rejected", "expired", "interrupted"]);

const SOON = 80; // milliseconds; most pictures that are kept come sooner, and are decoded without a placeholder's help

/** @type {Set<Tile>} tiles that wait for their pictures */
const waiting = new Set();

/** @param {Tile} tile */
function showSoon(tile) {
  if (waiting.size === 0) {
    setTimeout(() => {
      const tiles = [...waiting];
      waiting.clear();
      for (const each of tiles) if (each.element.isConnected) each.wait();
    }, SOON);
  }
  waiting.add(tile);
}

export class Tile {
  #source = "";
  /** @type {Box | null} */ #box = null;
  #index = -1;
  #total = -1;
  #placeholder = "";
  #offered = "[]";
  #preview = ""; // the address of the local file, while it is shown

  /**
   * @param {string} id
   * @param {HTMLImageElement} [drawn] the picture as the server has drawn it: another element would be painted anew
   */
  constructor(id, drawn = document.createElement("img")) {
    this.id = id;
    this.image = drawn;
    for (const name of ["width", "height", "loading"]) drawn.removeAttribute(name);
    Object.assign(drawn, { className: "thumb", decoding: "async", draggable: false });
    this.#source = drawn.src;
    this.frame = element("a", { className: "frame", tabIndex: -1 }, [this.image]);
    this.caption = element("p", { className: "caption", dir: "auto" });
    this.legend = element("div", { className: "legend" }, [this.caption]);
    this.pick = element("button", { type: "button", className: "pick", role: "checkbox", tabIndex: -1, "aria-checked": "false" });
    this.element = element("li", { className: "card" }, [this.frame, this.pick, this.legend]);
    /** @type {HTMLElement | null} */
    this.chip = null;
    /** @type {HTMLElement | null} */
    this.actions = null;
  }

  /**
   * @param {Box} box
   * @param {number} index from 0
   * @param {number} total
   */
  place(box, index, total) {
    if (box === this.#box && total === this.#total && index === this.#index) return; // writing styles costs a layout
    [this.#box, this.#index, this.#total] = [box, index, total];
    const { style } = this.element;
    style.left = `${box.x}px`; // no transform: each would be a paint chunk of its own
    style.top = `${box.y}px`;
    style.width = `${box.width}px`;
    this.frame.style.height = `${box.height}px`;
    this.element.setAttribute("aria-setsize", String(total));
    this.element.setAttribute("aria-posinset", String(index + 1));
  }

  /**
   * Show the photo's data. The size is that of the box, whatever the state.
   * @param {Photo} photo
   */
  fill(photo) {
    const { dataset } = this.element;
    this.id = photo.id;
    dataset.id = photo.id;
    dataset.status = photo.status;
    dataset.settled = photo.settled ? "yes" : "no";
    if (photo.local) this.frame.removeAttribute("href");
    else this.frame.href = `/photo/${photo.id}`;
    this.image.alt = photo.alt;
    this.image.lang = photo.alt_language ?? "";
    this.pick.hidden = photo.local === true;
    this.pick.setAttribute("aria-label", `Select ${photo.alt}`);
    this.caption.textContent = photo.caption || photo.name;
    this.caption.classList.toggle("name", !photo.caption);
    this.caption.classList.toggle("provisional", photo.provisional === true);
    this.caption.lang = photo.caption_language ?? "";
    keepFocus(this.legend, () => this.#state(photo), this.frame);
    this.#picture(photo);
  }

  /** @param {Photo} photo */
  #state(photo) {
    this.chip?.remove();
    this.chip = null;
    for (const old of this.legend.querySelectorAll(".why, progress")) old.remove();
    const plain = photo.status === "done" && !photo.message;
    this.#offer(plain || photo.read_only ? [] : offers(photo));
    this.legend.classList.toggle("explained", Boolean(photo.message));
    if (plain) return;
    if (photo.status !== "done") {
      this.chip = element("p", { className: "chip" }, [photo.status_text ?? photo.status]);
      this.element.insertBefore(this.chip, this.legend);
    }
    if (photo.message) this.#explain(element("p", { className: "why", dir: "auto" }, [photo.message]));
    if (photo.status === "uploading") {
      const bar = element("progress", { max: 100, value: photo.progress ?? 0, "aria-label": `Upload of ${photo.name}` });
      this.#explain(bar);
    }
  }

  /** @param {HTMLElement} made */
  #explain(made) {
    this.legend.insertBefore(made, this.actions);
  }

  /**
   * Offer what can be done. Buttons stay while they are the same: one of them may have the focus.
   * @param {ReturnType<typeof offers>} wanted
   */
  #offer(wanted) {
    const offered = JSON.stringify(wanted);
    if (offered === this.#offered) return;
    this.#offered = offered;
    this.actions?.remove();
    this.actions = null;
    if (wanted.length === 0) return;
    const made = wanted.map(({ label, action, hint }) => {
      const each = button(label, () => this.#act(action), { hint });
      each.dataset.action = action;
      each.tabIndex = this.frame.tabIndex;
      return each;
    });
    this.actions = element("div", { className: "actions" }, made);
    this.legend.append(this.actions);
  }

  /** @param {string} action */
  #act(action) {
    const detail = { id: this.id, action };
    this.element.dispatchEvent(new CustomEvent("photo-action", { bubbles: true, detail }));
  }

  /** @param {number} progress from 0 to 100 */
  progress(progress) {
    const bar = this.legend.querySelector("progress");
    if (bar) bar.value = progress;
  }

  /** @param {Photo} photo */
  #picture(photo) {
    this.#placeholder = photo.placeholder ?? "";
    if (this.#placeholder && !this.#source) showSoon(this);
    const source = photo.grid_url ?? photo.thumbnail_2x_url ?? photo.thumbnail_url ?? "";
    if (source === "" && photo.file && this.#source === "") {
      this.#preview = URL.createObjectURL(photo.file);
      this.#show(this.#preview, true);
    } else if (source !== "" && source !== this.#source) {
      this.#show(source, false);
      this.#revoke();
    }
  }

  /** Show the placeholder, unless the picture is there already. */
  wait() {
    if (!this.image.naturalWidth || !this.#source) this.frame.style.backgroundImage = `url("${this.#placeholder}")`;
  }

  /** @param {string} source @param {boolean} local */
  #show(source, local) {
    this.#source = source;
    this.image.classList.toggle("local", local);
    this.image.src = source;
  }

  #revoke() {
    if (this.#preview) URL.revokeObjectURL(this.#preview);
    this.#preview = "";
  }

  /** Forget an address that shows nothing: the placeholder stays until there is another. */
  lose() {
    const local = this.#preview !== "";
    this.#revoke();
    this.#source = local ? "nothing" : ""; // a local file that cannot be shown is not tried again
    this.image.removeAttribute("src");
  }

  /**
   * Take the place of another tile of the same photo: its focus, and its turn with Tab.
   * @param {Tile} other
   */
  replace(other) {
    if (other.frame.tabIndex === 0) this.reach(true);
    if (other.element.contains(document.activeElement)) this.frame.focus({ preventScroll: true });
    other.remove();
  }

  /** Take the tile out of the document. */
  remove() {
    this.#revoke();
    this.element.remove();
  }

  /**
   * Make this tile the one that Tab reaches.
   * @param {boolean} reached
   */
  reach(reached) {
    this.frame.tabIndex = reached ? 0 : -1;
    for (const each of this.legend.querySelectorAll("button")) each.tabIndex = this.frame.tabIndex;
  }
}

/**
 * What can be done with a photo that is not described.
 * @param {Photo} photo
 */
function offers({ name, status, retryable }) {
  const found = [];
  if (retryable || status === "interrupted") found.push({ label: "Try again", action: "retry", hint: `with ${name}` });
  if (status === "queued" || status === "uploading") found.push({ label: "Cancel", action: "remove", hint: name });
  else if (FAILED.has(status) || status === "awaiting") found.push({ label: "Remove", action: "remove", hint: name });
  return found;
}
