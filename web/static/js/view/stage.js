// The picture of the viewer: zoom by wheel, pinch, double tap and keys; panning; swipes.

import { clamp, FIT, swipe, zoom } from "../model/zoom.js";
import { element } from "./dom.js";

/** @typedef {import("../core/store.js").Photo} Photo */
/**
 * @typedef {object} Gestures
 * @property {(step: 1 | -1) => void} onStep
 * @property {() => void} onClose
 * @property {() => void} onLost called when the display image does not load
 * @property {() => void} onLoaded called when it has loaded
 */

const STEP = 1.5; // of one key press or click
const DOUBLE = 2.5;

export class Stage {
  /** @type {import("../model/zoom.js").View} */ #view = FIT;
  /** @type {Map<number, PointerEvent>} */ #pointers = new Map();
  /** @type {{x: number, y: number, scale: number} | null} */ #start = null;
  #source = "";

  /** @param {Gestures} gestures */
  constructor(gestures) {
    this.small = element("img", { className: "small", alt: "", draggable: false });
    this.large = element("img", { className: "large", decoding: "async", draggable: false });
    this.element = element("div", { className: "stage" }, [this.small, this.large]);
    this.gestures = gestures;
    this.large.addEventListener("load", () => {
      this.large.classList.remove("loading");
      gestures.onLoaded();
    });
    this.large.addEventListener("error", () => this.#source && gestures.onLost());
    this.element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.element.addEventListener("dblclick", (event) => this.#zoomTo(this.#view.scale > 1 ? 0 : DOUBLE, event));
    this.element.addEventListener("pointerdown", (event) => this.#down(event));
    this.element.addEventListener("pointermove", (event) => this.#move(event));
    for (const type of /** @type {const} */ (["pointerup", "pointercancel"])) {
      this.element.addEventListener(type, (event) => this.#up(event));
    }
  }

  get zoomed() {
    return this.#view.scale > 1;
  }

  /**
   * Show a photo: at once what the grid has of it, then the display image.
   * @param {Photo} photo
   * @param {{fresh: boolean}} options fresh: another photo than before
   */
  show(photo, { fresh }) {
    const small = photo.grid_url ?? photo.thumbnail_2x_url ?? photo.thumbnail_url ?? photo.placeholder ?? "";
    if (fresh) {
      this.#set(FIT);
      this.#source = "";
      this.large.removeAttribute("src");
      this.small.removeAttribute("src");
    }
    if (small && !this.small.getAttribute("src")) this.small.src = small;
    this.large.alt = photo.alt;
    this.large.lang = photo.alt_language ?? "";
    if (photo.display_url && photo.display_url !== this.#source) {
      if (!this.#source) this.large.classList.add("loading");
      this.#source = photo.display_url;
      this.large.src = photo.display_url;
    }
  }

  /** Forget the address that does not load, so that the next one is tried. */
  lose() {
    this.#source = "";
    this.large.removeAttribute("src");
  }

  /** @param {1 | -1} direction */
  zoomBy(direction) {
    this.#zoom(direction > 0 ? STEP : 1 / STEP, { x: 0, y: 0 });
  }

  /** @param {number} x @param {number} y */
  pan(x, y) {
    this.#set({ ...this.#view, x: this.#view.x + x, y: this.#view.y + y });
  }

  #sizes() {
    const stage = { width: this.element.clientWidth, height: this.element.clientHeight };
    const shown = this.large.naturalWidth ? this.large : this.small;
    const fit = Math.min(stage.width / (shown.naturalWidth || 1), stage.height / (shown.naturalHeight || 1), 1e4);
    return { stage, photo: { width: shown.naturalWidth * fit, height: shown.naturalHeight * fit } };
  }

  /** @param {import("../model/zoom.js").View} view */
  #set(view) {
    const { photo, stage } = this.#sizes();
    this.#view = clamp(view, photo, stage);
    const { scale, x, y } = this.#view;
    for (const image of [this.small, this.large]) image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    this.element.classList.toggle("zoomed", scale > 1);
  }

  /** @param {number} factor @param {{x: number, y: number}} point */
  #zoom(factor, point) {
    const { photo, stage } = this.#sizes();
    this.#set(zoom(this.#view, factor, point, photo, stage));
  }

  /** @param {{clientX: number, clientY: number}} event */
  #point({ clientX, clientY }) {
    const box = this.element.getBoundingClientRect();
    return { x: clientX - box.left - box.width / 2, y: clientY - box.top - box.height / 2 };
  }

  /** @param {number} scale 0: fit @param {MouseEvent} event */
  #zoomTo(scale, event) {
    if (scale === 0) this.#set(FIT);
    else this.#zoom(scale / this.#view.scale, this.#point(event));
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    this.#zoom(Math.exp(-event.deltaY / 300), this.#point(event));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0) return;
    this.#pointers.set(event.pointerId, event);
    this.element.setPointerCapture(event.pointerId);
    this.#start = this.#pointers.size === 1 ? { x: event.clientX, y: event.clientY, scale: this.#view.scale } : null;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const others = [...this.#pointers.values()].filter((each) => each.pointerId !== event.pointerId);
    this.#pointers.set(event.pointerId, event);
    const other = others[0];
    if (other) {
      const was = Math.hypot(before.clientX - other.clientX, before.clientY - other.clientY);
      const is = Math.hypot(event.clientX - other.clientX, event.clientY - other.clientY);
      const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
      this.#zoom(is / Math.max(1, was), this.#point(middle));
    } else if (this.zoomed) {
      this.pan(event.clientX - before.clientX, event.clientY - before.clientY);
    }
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    const start = this.#start;
    this.#start = null;
    if (!start || event.type === "pointercancel" || event.pointerType === "mouse") return;
    const meant = swipe(Math.max(start.scale, this.#view.scale), event.clientX - start.x, event.clientY - start.y);
    if (meant === "close") this.gestures.onClose();
    else if (meant) this.gestures.onStep(meant === "next" ? 1 : -1);
  }
}
