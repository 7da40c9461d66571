import assert from "node:assert/strict";
import { test } from "node:test";

import { Sequence } from "../../web/static/js/model/sequence.js";
import { clamp, FIT, LARGEST, swipe, zoom } from "../../web/static/js/model/zoom.js";

const STAGE = { width: 1000, height: 800 };
const PHOTO = { width: 1000, height: 667 };

test("a swipe changes the photo only while it fits", () => {
  assert.equal(swipe(1, -120, 10), "next");
  assert.equal(swipe(1, 120, 10), "previous");
  assert.equal(swipe(1, 10, 200), "close");
  assert.equal(swipe(1, 20, 10), null);
  assert.equal(swipe(1.01, -400, 0), null);
  assert.equal(swipe(4, 0, 400), null);
});

test("zooming keeps the point under the pointer", () => {
  const point = { x: 200, y: 100 };
  const view = zoom(FIT, 2, point, PHOTO, STAGE);
  assert.equal(view.scale, 2);
  // the same point of the photo: (point - middle) / scale
  assert.ok(Math.abs((point.x - view.x) / 2 - point.x) < 1e-9);
});

test("zoom ends at four times and at the size that fits", () => {
  assert.equal(zoom(FIT, 100, { x: 0, y: 0 }, PHOTO, STAGE).scale, LARGEST);
  assert.deepEqual(zoom({ scale: 3, x: 900, y: 300 }, 0.01, { x: 5, y: 5 }, PHOTO, STAGE), { scale: 1, x: 0, y: 0 });
});

test("panning stops at the edges", () => {
  const view = clamp({ scale: 2, x: 9999, y: -9999 }, PHOTO, STAGE);
  assert.deepEqual(view, { scale: 2, x: 500, y: -267 });
});

test("next after the shown photo has left the list is the one that followed it", () => {
  let ids = ["a", "b", "c", "d"];
  const sequence = new Sequence(() => ids);
  sequence.show("b");
  ids = ["a", "c", "d"];
  assert.equal(sequence.step(1), "c");
  assert.equal(sequence.step(-1), "a");
  ids = ["new", "a", "d"];
  assert.equal(sequence.step(1), "d");
  ids = ["a"];
  assert.equal(sequence.step(1), null);
});

test("next is that of the list as it is now, while the photo is in it", () => {
  let ids = ["a", "b"];
  const sequence = new Sequence(() => ids);
  sequence.show("a");
  ids = ["a", "between", "b"];
  assert.equal(sequence.step(1), "between");
});
