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

test("the last ten actions are undone one after the other, also when their messages are gone, and then it is said", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const toasts = stack();
  /** @type {number[]} */
  const undone = [];
  const act = (/** @type {number} */ number) => toasts.show(`${number} moved.`, { label: "Undo", undo: true, run: () => undone.push(number) });
  for (let number = 1; number < 12; number += 1) act(number);
  const withdraw = act(12);
  context.mock.timers.tick(20_000);
  assert.equal(toasts.childElementCount, 0);
  withdraw(); // its action is another one now
  act(13);
  toasts.below.find((/** @type {Stub} */ { textContent }) => textContent === "Undo").click();
  for (let press = 0; press < 9; press += 1) toasts.undo();
  assert.deepEqual(undone, [13, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  toasts.undo();
  toasts.undo();
  assert.equal(undone.length, 10);
  assert.deepEqual(toasts.children.map((/** @type {Stub} */ box) => box.firstChild?.textContent), ["There is nothing to undo."]);
});
