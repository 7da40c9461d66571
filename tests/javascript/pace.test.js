// How many tiles are made for a frame.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "../../web/static/js/model/pace.js";

const ids = (/** @type {string} */ prefix, /** @type {number} */ count) => Array.from({ length: count }, (_, at) => `${prefix}${at}`);

/** Make tiles frame by frame. @param {Pace} pace @param {string[]} inside @param {string[]} beside @param {number} now */
function filled(pace, inside, beside, now) {
  const frames = [];
  const made = new Set();
  const lacking = (/** @type {string[]} */ all) => all.filter((id) => !made.has(id));
  for (;;) {
    const answer = pace.choose(lacking(inside), lacking(beside), now);
    frames.push(answer.made);
    for (const id of answer.made) made.add(id);
    if (answer.again !== "frame") return { frames, again: answer.again };
  }
}

test("the window is filled before anything beside it, a few tiles a frame, and nothing is left out", () => {
  for (let inside = 0; inside <= 10; inside += 1) {
    for (let beside = 0; beside <= 7; beside += 1) {
      const pace = new Pace();
      pace.move(0, 800, 0);
      const { frames, again } = filled(pace, ids("in", inside), ids("out", beside), 0);
      assert.deepEqual(frames.flat(), [...ids("in", inside), ...ids("out", beside)]);
      assert.equal(again, "");
      assert.ok(frames.every((made) => made.length <= 4));
      assert.ok(frames.every((made) => new Set(made.map((id) => id.slice(0, 2))).size <= 1));
    }
  }
});

test("a jump leaves the first half of a second to the pictures in the window", () => {
  const pace = new Pace();
  pace.move(5000, 800, 1000);
  assert.deepEqual(filled(pace, ids("in", 3), ids("out", 5), 1010).frames.flat(), ids("in", 3));
  assert.deepEqual(pace.choose([], ids("out", 5), 1499), { made: [], again: "later" });
  assert.deepEqual(filled(pace, [], ids("out", 5), 1500).frames.flat(), ids("out", 5));
});

test("scrolling on makes the tiles beside the window at once", () => {
  const pace = new Pace();
  pace.move(5000, 800, 1000);
  pace.move(5800, 800, 2000);
  assert.deepEqual(filled(pace, [], ids("out", 3), 2000).frames.flat(), ids("out", 3));
});
