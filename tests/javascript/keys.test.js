import assert from "node:assert/strict";
import { test } from "node:test";

import { action, BINDINGS } from "../../web/static/js/model/keys.js";

const press = (key, values = {}) => ({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...values });

test("every key of the list does what the list says", () => {
  const groups = new Set(["Arrow keys", "Shift+Arrow keys", "Left, Right"]);
  for (const binding of BINDINGS.filter(({ keys }) => !groups.has(keys))) {
    const [last, ...modifiers] = binding.keys === "+" ? ["+"] : binding.keys.split("+").reverse();
    const key = { Esc: "Escape" }[last] ?? last;
    const pressed = press(modifiers.includes("Ctrl") ? key.toLowerCase() : key, {
      shiftKey: modifiers.includes("Shift"), ctrlKey: modifiers.includes("Ctrl"),
    });
    assert.equal(action(pressed), binding.action, binding.keys);
  }
});

test("single letters and signs can be switched off; named keys and Ctrl stay", () => {
  for (const key of ["/", "u", "m", "?", "+"]) assert.equal(action(press(key), { letters: false }), null);
  assert.equal(action(press("Delete"), { letters: false }), "trash");
  assert.equal(action(press("z", { ctrlKey: true }), { letters: false }), "undo");
});

test("keys of the browser are left alone", () => {
  for (const key of ["f", "r", "t", "u", "+"]) assert.equal(action(press(key, { ctrlKey: true })), null);
  assert.equal(action(press("e", { altKey: true })), null);
  for (const key of ["z", "a"]) assert.equal(action(press(key, { ctrlKey: true, shiftKey: true })), null);
});
