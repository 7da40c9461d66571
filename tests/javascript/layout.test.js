import assert from "node:assert/strict";
import { test } from "node:test";

import { above, closest, estimate, justify, within } from "../../web/static/js/model/layout.js";

const MEASURE = { width: 1000, target: 200, gap: 4, below: 30 };

/** Aspects between 0.2 and 4 by a fixed sequence. */
function aspects(count, seed = 1) {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return 0.2 + (3.8 * state) / 2147483647;
  });
}

test("rows fill the width, but for the last one", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    for (const width of [288, 700, 1000, 2400]) {
      const { boxes } = justify(aspects(200, seed), { ...MEASURE, width });
      const last = boxes.at(-1).row;
      for (let row = 0; row < last; row += 1) {
        const end = boxes.filter((box) => box.row === row).at(-1);
        assert.ok(Math.abs(end.x + end.width - width) < 0.01, `row ${row} of seed ${seed} ends at ${end.x + end.width}`);
      }
    }
  }
});

test("tiles of a row share its height and do not overlap", () => {
  const { boxes, height } = justify(aspects(300), MEASURE);
  for (const [index, box] of boxes.entries()) {
    const next = boxes[index + 1];
    assert.ok(box.height > 0 && box.height <= 1.34 * MEASURE.target);
    if (next?.row === box.row) {
      assert.equal(next.y, box.y);
      assert.equal(next.height, box.height);
      assert.ok(Math.abs(next.x - box.x - box.width - MEASURE.gap) < 0.01);
    } else if (next) {
      assert.ok(Math.abs(next.y - box.y - box.height - MEASURE.below - MEASURE.gap) < 0.01);
    }
  }
  const last = boxes.at(-1);
  assert.ok(Math.abs(height - last.y - last.height - MEASURE.below) < 0.01);
});

test("one photo is as high as wanted, and no wider than the rows", () => {
  assert.deepEqual(justify([1.5], MEASURE).boxes, [{ x: 0, y: 0, width: 300, height: 200, row: 0 }]);
  const [wide] = justify([2.9], { ...MEASURE, width: 300 }).boxes;
  assert.ok(wide.width <= 300 && wide.height < 110);
});

test("aspects are clamped to 0.4 and 3", () => {
  const [panorama] = justify([12], MEASURE).boxes;
  const [column] = justify([0.01], MEASURE).boxes;
  assert.deepEqual([panorama.width, column.width], [600, 80]);
});

test("no photos need no height", () => {
  assert.deepEqual(justify([], MEASURE), { boxes: [], height: 0 });
  assert.equal(estimate(0, MEASURE), 0);
});

test("the estimate is near the height of usual photos", () => {
  const usual = Array.from({ length: 500 }, (_, index) => (index % 4 ? 1.5 : 0.75));
  const ratio = estimate(500, MEASURE) / justify(usual, MEASURE).height;
  assert.ok(ratio > 0.75 && ratio < 1.35, String(ratio));
});

test("the visible range is that of a full search", () => {
  const { boxes, height } = justify(aspects(400), MEASURE);
  for (let top = -300; top < height + 300; top += 97) {
    const [first, end] = within(boxes, top, top + 500, MEASURE.below);
    const wanted = boxes.filter((box) => box.y < top + 500 && box.y + box.height + MEASURE.below > top);
    assert.deepEqual(boxes.slice(first, end), wanted);
  }
});

test("up and down lead to the closest tile of the next row", () => {
  const { boxes } = justify(aspects(100), MEASURE);
  for (const [index, box] of boxes.entries()) {
    const below = above(boxes, index, 1);
    if (below === null) assert.equal(box.row, boxes.at(-1).row);
    else assert.equal(boxes[below].row, box.row + 1);
  }
  assert.equal(above(boxes, 0, -1), null);
  assert.equal(closest(boxes, 1, 1e6), boxes.findLastIndex((box) => box.row === 1));
});
