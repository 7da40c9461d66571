import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Renewals } from "../../web/static/js/core/renewals.js";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 }));
afterEach(() => mock.timers.reset());

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Renewals of two keys, and how often each was run. */
function counted(looked = () => {}) {
  const renewals = new Renewals(looked);
  /** @type {Record<string, number>} */
  const runs = { a: 0, b: 0 };
  /** @param {string} id @param {"a" | "b"} key */
  const lose = (id, key = "a") => renewals.renew(id, key, async () => {
    runs[key] += 1;
  });
  return { lose, runs };
}

/** @param {number} minutes */
async function after(minutes) {
  await settled();
  mock.timers.tick(minutes * 60_000);
  await settled();
}

test("many lost pictures of a page cost one request", async () => {
  const { lose, runs } = counted();
  await Promise.all([lose("1"), lose("2"), lose("3", "b"), lose("4")]);
  assert.deepEqual(runs, { a: 1, b: 1 });
});

test("pictures that are still lost are asked for together, less and less often", async () => {
  const { lose, runs } = counted();
  await Promise.all([lose("1"), lose("2"), lose("3")]);
  const waits = [1, 2, 4, 8, 8, 8];
  for (const [before, minutes] of waits.entries()) {
    const again = [lose("1"), lose("2"), lose("3")];
    await after(minutes - 1 / 60);
    assert.equal(runs.a, before + 1);
    await after(1 / 60);
    await Promise.all(again);
    assert.equal(runs.a, before + 2);
  }
});

test("a picture that is gone for good keeps none beside it waiting", async () => {
  const { lose, runs } = counted();
  await lose("gone");
  for (const minutes of [1, 2, 4, 8]) {
    const again = lose("gone");
    await after(minutes);
    await again;
  }
  void lose("gone");
  await after(1);
  assert.equal(runs.a, 5);
  await lose("beside");
  assert.equal(runs.a, 6);
});

test("a picture that was there for a while is asked for at once", async () => {
  const { lose, runs } = counted();
  await lose("1");
  const again = lose("1");
  await after(1);
  await again;
  await after(4);
  await lose("1");
  assert.equal(runs.a, 3);
});

test("a page that nobody looks at asks for nothing", async () => {
  /** @type {(value?: unknown) => void} */
  let look = () => {};
  const looking = new Promise((resolve) => {
    look = resolve;
  });
  const { lose, runs } = counted(() => looking);
  const both = [lose("1"), lose("2")];
  await after(10);
  assert.equal(runs.a, 0);
  look();
  await Promise.all(both);
  assert.equal(runs.a, 1);
});

test("a renewal that fails rejects for all who wait, and is tried again later", async () => {
  const renewals = new Renewals(() => {});
  const fails = (/** @type {string} */ id) => renewals.renew(id, "a", () => Promise.reject(new Error("away")));
  const both = [fails("1"), fails("2")];
  for (const each of both) await assert.rejects(each, { message: "away" });
  let renewed = false;
  const again = renewals.renew("1", "a", async () => {
    renewed = true;
  });
  await after(1);
  await again;
  assert.ok(renewed);
});
