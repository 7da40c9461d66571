// The keyboard shortcuts of the gallery page, and the dialog that lists them.

import { guard } from "../core/guard.js";
import { Late } from "../core/late.js";
import { stored } from "../core/signals.js";
import { action } from "../model/keys.js";
import { DENSITIES } from "../model/layout.js";
import { typing } from "./dom.js";

/**
 * @typedef {object} Parts
 * @property {import("./timeline.js").PhotoTimeline} timeline
 * @property {import("../core/late.js").Late<import("./viewer.js").PhotoViewer>} viewer
 * @property {import("./toasts.js").ToastStack} toasts
 * @property {import("../core/actions.js").Actions} actions
 * @property {import("./selectbar.js").SelectBar} selectBar
 * @property {import("../core/signals.js").Signal<string>} density
 * @property {import("../model/sections.js").Sections} sections
 */

const SIZES = ["compact", "comfortable", "large", "captions"];

export class Keyboard {
  #letters = stored("letters", ["on", "off"]);
  #help = new Late(async () => new (await import("./help.js")).Help(this.#letters));

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    document.addEventListener("keydown", guard((event) => this.#press(event)));
    document.getElementById("shortcuts")?.addEventListener("click", guard((event) => {
      event.preventDefault();
      this.help();
    }));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.key === "F6" && this.parts.toasts.visit()) {
      event.preventDefault();
      return undefined;
    }
    if (event.defaultPrevented || event.isComposing) return undefined;
    const name = action(event, { letters: this.#letters.value === "on" });
    if (name === null || (typing(event.target) && name !== "back")) return undefined;
    if (document.querySelector("dialog[open]:not(#viewer)")) return undefined;
    const done = this.#run(name);
    if (done !== false) event.preventDefault();
    return done;
  }

  /** @param {string} name @returns {unknown} false: not handled here */
  #run(name) {
    const { timeline, toasts, actions } = this.parts;
    const viewer = this.parts.viewer.now;
    const shown = viewer?.shown ?? null;
    const id = shown ?? (timeline.contains(document.activeElement) ? timeline.active : null);
    const selected = shown ? undefined : this.#runSelected(name, id);
    if (selected !== undefined) return selected;
    switch (name) {
      case "search": return shown ? false : this.#search();
      case "add": return shown ? false : document.getElementById("files")?.click();
      case "help": return this.help();
      case "undo": return toasts.undo();
      case "info": return shown ? viewer?.toggleInfo() : id ? this.#openInfo(id) : false;
      case "edit": return id ? this.#openInfo(id, "caption") : false;
      case "tags": return id ? this.#openInfo(id, "tags") : false;
      case "trash": return id ? actions.remove(id) : false;
      case "describe": return id ? actions.describe(id) : false;
      case "larger": case "smaller": return this.#size(name === "larger" ? 1 : -1);
      case "nextMonth": case "previousMonth": return shown ? false : this.#month(name === "nextMonth" ? 1 : -1);
      case "full": return shown ? this.#full() : false;
      default: return false;
    }
  }

  /**
   * Run an action of the selection, or on all that is selected.
   * @param {string} name
   * @param {string | null} id the photo that has the focus
   * @returns {unknown} undefined: the selection has nothing to do with it
   */
  #runSelected(name, id) {
    const { selectBar } = this.parts;
    if (name === "select") return id ? selectBar.toggle(id) ?? null : false;
    if (name === "selectAll") return selectBar.selectAll();
    if (["album", "share", "download"].includes(name) && selectBar.size === 0) {
      if (!id) return false;
      selectBar.toggle(id);
    }
    if (selectBar.size === 0) return undefined;
    if (name === "back") return selectBar.clear() ?? null;
    return ["tags", "album", "share", "download", "describe", "trash"].includes(name) ? selectBar.act(name) ?? null : undefined;
  }

  #search() {
    const field = document.getElementById("q");
    if (field instanceof HTMLInputElement) {
      field.focus();
      field.select();
    }
  }

  /** @param {string} id @param {"caption" | "tags"} [field] */
  async #openInfo(id, field) {
    const viewer = await this.parts.viewer.get();
    if (viewer.shown !== id) await viewer.open(id);
    viewer.toggleInfo(true);
    if (field) viewer.info?.edit(field);
  }

  /** @param {1 | -1} step */
  #size(step) {
    const { density } = this.parts;
    const viewer = this.parts.viewer.now;
    if (viewer?.shown) {
      viewer.stage?.zoomBy(step);
      return;
    }
    const at = SIZES.indexOf(density.value) + step;
    density.value = SIZES[Math.min(SIZES.length - 1, Math.max(0, at))] ?? DENSITIES[0] ?? "captions";
  }

  /** @param {1 | -1} step */
  #month(step) {
    const { sections, timeline } = this.parts;
    const at = sections.list.findIndex((section) => section.key === timeline.position?.key);
    const next = sections.list[at + step];
    if (next) timeline.showSection(next.key);
  }

  async #full() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  }

  /** Show the list of the keys. */
  async help() {
    await (await this.#help.get()).open();
  }
}
