import assert from "node:assert/strict";
import { test } from "node:test";

import { Stub } from "./stub.js";

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
  for (const each of toasts.below.filter((/** @type {Stub} */ { dataset }) => "undo" in dataset)) each.click();
  assert.deepEqual(undone, ["a", "b"]);
});
