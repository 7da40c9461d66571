// <toast-stack>: short messages with one action each, and the announcements for screen readers.

import { announcement } from "../model/announcement.js";
import { guard } from "../core/guard.js";
import { button, element } from "./dom.js";
import { keepFocus } from "./focus.js";

const SHOWN = 20_000; // milliseconds
const MOST = 3;
const UNDONE = 10; // actions that can be undone once their messages are gone
const QUIET = 900; // milliseconds before the first announcement
const PAUSE = 5000; // between two announcements

/** @typedef {{label: string, run: () => unknown, undo?: boolean}} Action */

export class ToastStack extends HTMLElement {
  /** @type {string[]} */ #sentences = [];
  /** @type {string[]} */ #described = [];
  /** @type {(() => void)[]} */ #undos = []; // of the last actions, the newest at the end
  #spoken = 0;
  /** @type {ReturnType<typeof setTimeout> | null} */ #timer = null;
  live = element("p", { className: "sr", id: "live", role: "status" });

  connectedCallback() {
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Messages (F6)");
    this.tabIndex = -1;
    this.after(this.live); // again where the messages move
  }

  /**
   * Show a sentence for 20 seconds, or until it is dismissed; the pointer or the focus on it stops the clock.
   * @param {string} text
   * @param {Action | null} [action]
   * @returns {() => void} removes it, with its action
   */
  show(text, action = null) {
    // An action is of its own photos, whatever the sentence
    const same = [...this.children].filter((old) => old.firstChild?.textContent === text && !old.querySelector("[data-offer]"));
    const remove = (/** @type {Element[]} */ old) => keepFocus(this, () => old.forEach((each) => each.remove()));
    remove(same);
    const end = new AbortController();
    const { signal } = end;
    const box = element("div", { className: "toast" }, [element("p", {}, [text])]);
    const dismiss = () => {
      end.abort();
      clearTimeout(timer);
      remove([box]);
    };
    const withdraw = () => {
      this.#undos = this.#undos.filter((undo) => undo !== run);
      dismiss();
    };
    const run = guard(() => {
      withdraw();
      return action?.run();
    });
    if (action?.undo) this.#undos = [...this.#undos, run].slice(-UNDONE);
    if (action) {
      const made = button(action.label, run, { signal });
      made.dataset.offer = "";
      if (action.undo) made.dataset.undo = "";
      box.append(made);
    }
    const close = button("✕", dismiss, { className: "button small quiet", signal });
    close.setAttribute("aria-label", "Dismiss");
    box.append(close);
    let timer = setTimeout(dismiss, SHOWN);
    const hold = () => clearTimeout(timer);
    const resume = () => {
      clearTimeout(timer);
      timer = setTimeout(dismiss, SHOWN);
    };
    box.addEventListener("pointerenter", hold, { signal });
    box.addEventListener("focusin", hold, { signal });
    box.addEventListener("pointerleave", resume, { signal });
    box.addEventListener("focusout", resume, { signal });
    this.append(box);
    remove([...this.children].slice(0, -MOST));
    this.say(text);
    return withdraw;
  }

  /** Undo the last action that can be undone, also where its message is gone. */
  undo() {
    const undo = this.#undos.at(-1);
    if (undo) undo();
    else this.show("There is nothing to undo.");
  }

  /** Focus the newest message, or go back from it. Returns whether there is one. */
  visit() {
    const newest = this.lastElementChild?.querySelector("button");
    newest?.focus();
    return newest !== undefined && newest !== null;
  }

  /**
   * Announce a sentence: several within a pause as one, at most one in five seconds.
   * @param {string} sentence
   */
  say(sentence) {
    this.#sentences.push(sentence);
    this.#later();
  }

  /**
   * Announce a finished photo by its caption; several within a pause are only counted.
   * @param {string} caption
   */
  sayDescribed(caption) {
    this.#described.push(caption);
    this.#later();
  }

  #later() {
    const wait = Math.max(QUIET, this.#spoken + PAUSE - Date.now());
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#spoken = Date.now();
      const described = this.#described.splice(0);
      if (described.length === 1) this.#sentences.push(`Described: ${described[0]}`);
      if (described.length > 1) this.#sentences.push(`${described.length} photos described.`);
      this.live.textContent = announcement(this.#sentences.splice(0));
    }, wait);
  }
}

customElements.define("toast-stack", ToastStack);
