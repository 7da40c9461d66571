import assert from "node:assert/strict";
import { test } from "node:test";

import { Stub } from "./stub.js";

const { ToastStack } = await import("../../web/static/js/view/toasts.js");

/** @returns {any} a stack that announces nothing */
const stack = () => Object.assign(new ToastStack(), { say() {} });

test("a message with the same sentence takes the place of the older one, but not that of its action", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const toasts = stack();
  /** @type {string[]} */
  const done = [];
  for (const text of ["Saved.", "Saved."]) toasts.show(text);
  assert.equal(toasts.childElementCount, 1);
  for (const [label, undo] of [["Undo", true], ["Continue", false]]) {
    done.length = 0;
    for (const id of ["a", "b"]) toasts.show("1,000 photos are left.", { label, undo, run: () => done.push(id) });
    assert.equal(toasts.childElementCount, 3);
    for (const each of toasts.below.filter(({ textContent }) => textContent === label)) each.click();
    assert.deepEqual(done, ["a", "b"]);
  }
});
