// Justified rows: where each tile of a section stands. Pure: numbers in, numbers out.

/** A tile is never drawn narrower or wider than this, in parts of its height. */
const NARROWEST = 0.4;
const WIDEST = 3;
const USUAL = 1.4; // of a photo that is not loaded yet

/** @type {Record<string, number>} heights of the pictures, in pixels */
const TARGETS = { captions: 320, compact: 160, comfortable: 200, large: 260 };
const CAPTION = 92; // pixels below a picture
const NARROW = 600;

export const DENSITIES = Object.keys(TARGETS);

/**
 * @typedef {object} Measure in CSS pixels
 * @property {number} width of the rows
 * @property {number} target height of a row's pictures; full rows are up to a third higher or lower
 * @property {number} gap between tiles
 * @property {number} below each picture, for its caption
 */
/**
 * @typedef {object} Box
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height of the picture
 * @property {number} row
 */

/**
 * The measure of a timeline.
 * @param {string} density
 * @param {number} width of the timeline
 * @returns {Measure}
 */
export function measureOf(density, width) {
  const narrow = width < NARROW;
  const target = Math.min(TARGETS[density] ?? 200, narrow ? width * 0.62 : Infinity);
  const captions = density === "captions";
  return { width, target, gap: captions ? 16 : narrow ? 2 : 4, below: captions ? CAPTION : 0 };
}

/**
 * Place tiles in rows that fill the width. The last row is not stretched.
 * @param {number[]} aspects
 * @param {Measure} measure
 * @returns {{boxes: Box[], height: number}}
 */
export function justify(aspects, { width, target, gap, below }) {
  /** @type {Box[]} */
  const boxes = [];
  let [first, sum, y, row] = [0, 0, 0, 0];
  const clamped = aspects.map((aspect) => Math.min(WIDEST, Math.max(NARROWEST, aspect)));
  /** @param {number} end @param {number} height */
  const place = (end, height) => {
    let x = 0;
    for (let at = first; at < end; at += 1) {
      const wide = Math.min((clamped[at] ?? 1) * height, width);
      boxes.push({ x, y, width: wide, height, row });
      x += wide + gap;
    }
    [first, sum, y, row] = [end, 0, y + height + below + gap, row + 1];
  };
  for (let at = 0; at < clamped.length; at += 1) {
    const aspect = clamped[at] ?? 1;
    const before = sum;
    sum += aspect;
    const height = (width - gap * (at - first)) / sum;
    if (height > target) continue;
    const without = at > first ? (width - gap * (at - first - 1)) / before : Infinity;
    // Without the last one the row may come closer to the height that is wanted
    if (without - target < target - height && without < target * 1.34) {
      place(at, without);
      sum = aspect;
      if (width / aspect <= target) place(at + 1, width / aspect);
    } else {
      place(at + 1, height);
    }
  }
  if (first < clamped.length) place(clamped.length, target);
  return { boxes, height: Math.max(0, y - gap) };
}

/**
 * The height that `count` photos will need, whose sizes are not known yet.
 * @param {number} count
 * @param {Measure} measure
 */
export function estimate(count, { width, target, gap, below }) {
  if (count === 0) return 0;
  const perRow = Math.max(1, (width + gap) / (target * USUAL + gap));
  const rows = Math.ceil(count / perRow);
  return rows * (target + below + gap) - gap;
}

/**
 * The range [first, end) of boxes that touch the strip between two heights. Boxes are ordered by their y.
 * @param {Box[]} boxes
 * @param {number} top
 * @param {number} bottom
 * @param {number} below
 * @returns {[number, number]}
 */
export function within(boxes, top, bottom, below) {
  const first = firstWhere(boxes, (box) => box.y + box.height + below > top);
  const end = firstWhere(boxes, (box) => box.y >= bottom);
  return [first, Math.max(first, end)];
}

/**
 * The first index for which a condition holds that, once true, stays true; the length if it never holds.
 * @template T
 * @param {T[]} list
 * @param {(item: T) => boolean} holds
 */
export function firstWhere(list, holds) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(/** @type {T} */ (list[middle]))) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The box of a neighbouring row whose middle is closest to that of a box; null past the first or last row.
 * @param {Box[]} boxes
 * @param {number} from
 * @param {1 | -1} step rows
 * @returns {number | null}
 */
export function above(boxes, from, step) {
  const start = boxes[from];
  if (!start) return null;
  return closest(boxes, start.row + step, start.x + start.width / 2);
}

/**
 * The box of a row whose middle is closest to x; null where there is no such row.
 * @param {Box[]} boxes
 * @param {number} row
 * @param {number} x
 * @returns {number | null}
 */
export function closest(boxes, row, x) {
  const first = firstWhere(boxes, (box) => box.row >= row);
  /** @type {number | null} */
  let best = null;
  let distance = Infinity;
  for (let at = first; boxes[at]?.row === row; at += 1) {
    const box = /** @type {Box} */ (boxes[at]);
    const off = Math.abs(box.x + box.width / 2 - x);
    if (off < distance) [best, distance] = [at, off];
  }
  return best;
}
