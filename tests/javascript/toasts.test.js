import assert from "node:assert/strict";
import { test } from "node:test";

/** As much of an element as a message uses. */
class Stub {
  /** @type {Stub[]} */ children = [];
  /** @type {Stub | null} */ parent = null;
  /** @type {Record<string, string>} */ dataset = {};
  textContent = "";
  run = () => {};

  get firstChild() {
    return this.children[0];
  }

  get firstElementChild() {
    return this.children[0];
  }

  get childElementCount() {
    return this.children.length;
  }

  /** @param {(Stub | string)[]} given */
  append(...given) {
    for (const each of given) {
      if (each instanceof Stub) this.#take(each);
      else this.textContent += each;
    }
  }

  /** @param {Stub} child */
  #take(child) {
    child.parent = this;
    this.children.push(child);
  }

  remove() {
    this.parent?.children.splice(this.parent.children.indexOf(this), 1);
  }

  /** @returns {Stub[]} */
  get buttons() {
    return this.children.flatMap((each) => [each, ...each.buttons]);
  }

  querySelector() {
    return this.buttons.find(({ dataset }) => "undo" in dataset) ?? null;
  }

  contains() {
    return false;
  }

  setAttribute() {}

  /** @param {string} name @param {() => void} listener */
  addEventListener(name, listener) {
    if (name === "click") this.run = listener;
  }
}

Object.assign(globalThis, {
  HTMLElement: Stub, HTMLButtonElement: Stub, customElements: { define() {} },
  document: { documentElement: { lang: "en" }, createElement: () => new Stub(), activeElement: null, getElementById: () => null },
});
const { ToastStack } = await import("../../web/static/js/view/toasts.js");

/** @returns {any} a stack that announces nothing */
const stack = () => Object.assign(new ToastStack(), { say() {} });

test("a message with the same sentence takes the place of the older one, but never its Undo", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const toasts = stack();
  /** @type {string[]} */
  const undone = [];
  for (const text of ["Saved.", "Saved."]) toasts.show(text);
  assert.equal(toasts.childElementCount, 1);
  for (const id of ["a", "b"]) {
    toasts.show("Moved to the trash.", { label: "Undo", undo: true, run: () => undone.push(id) });
  }
  assert.equal(toasts.childElementCount, 3);
  for (const each of toasts.buttons.filter((/** @type {Stub} */ { dataset }) => "undo" in dataset)) each.run();
  assert.deepEqual(undone, ["a", "b"]);
});
