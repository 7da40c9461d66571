import assert from "node:assert/strict";
import { test } from "node:test";

import { Late } from "../../web/static/js/core/late.js";

test("a part is loaded once, however many ask for it at the same time", async () => {
  let loads = 0;
  const late = new Late(async () => {
    loads += 1;
    return { part: loads };
  });
  assert.equal(late.now, null);
  const [one, other] = await Promise.all([late.get(), late.get()]);
  assert.equal(one, other);
  assert.deepEqual([late.now, loads], [{ part: 1 }, 1]);
});

test("a part that does not load says what to do, and is tried again", async () => {
  let loads = 0;
  const late = new Late(async () => {
    loads += 1;
    if (loads === 1) throw new TypeError("Failed to fetch dynamically imported module");
    return "part";
  });
  await assert.rejects(late.get(), /Reload the page, then try again/);
  assert.equal(late.now, null);
  assert.equal(await late.get(), "part");
});
