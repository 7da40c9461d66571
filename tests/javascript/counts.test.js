import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Counts } from "../../web/static/js/core/counts.js";
import { Library } from "../../web/static/js/core/library.js";
import { Store } from "../../web/static/js/core/store.js";

const real = globalThis.fetch;
let asked = 0;
let reached = true;
let meanwhile = () => {};

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  [asked, reached, meanwhile] = [0, true, () => {}];
  globalThis.fetch = async () => {
    asked += 1;
    if (!reached) throw new TypeError("away");
    meanwhile();
    return Response.json({ months: [], total: 0, exact: true });
  };
});

afterEach(() => {
  mock.timers.reset();
  globalThis.fetch = real;
});

/** @param {number} seconds */
async function after(seconds) {
  for (let second = 0; second < seconds; second += 1) {
    mock.timers.tick(1000);
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Counts that are uncertain, and how often they were shown. */
function scene() {
  const library = new Library(new Store(), () => false);
  const shown = { times: 0 };
  const counts = new Counts(library, () => {
    shown.times += 1;
  });
  library.uncounted = true;
  counts.correct();
  counts.correct();
  return { library, counts, shown };
}

test("changes while the counts are on their way are counted with another request", async () => {
  const { library, shown } = scene();
  meanwhile = () => {
    if (asked === 1) library.remove("a");
  };
  await after(60);
  assert.deepEqual([asked, shown.times, library.uncounted], [2, 2, false]);
});

test("a gallery that cannot be reached is asked for counts by the next news only", async () => {
  const { library, counts, shown } = scene();
  reached = false;
  await after(60);
  assert.deepEqual([asked, shown.times, library.uncounted], [1, 0, true]);
  reached = true;
  counts.correct();
  await after(60);
  assert.deepEqual([asked, shown.times, library.uncounted], [2, 1, false]);
});
