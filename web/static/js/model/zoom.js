// Zoom and panning of a photo in the viewer. Pure.

export const LARGEST = 4; // times the size that fits

/**
 * @typedef {object} View
 * @property {number} scale 1: the photo fits
 * @property {number} x of the photo's middle, from the middle of the stage, in pixels
 * @property {number} y
 */
/** @typedef {{width: number, height: number}} Size */

/** @type {Readonly<View>} */
export const FIT = Object.freeze({ scale: 1, x: 0, y: 0 });

/**
 * Zoom so that the point under the pointer stays where it is.
 * @param {View} view
 * @param {number} factor
 * @param {{x: number, y: number}} point from the middle of the stage
 * @param {Size} photo at scale 1
 * @param {Size} stage
 * @returns {View}
 */
export function zoom(view, factor, point, photo, stage) {
  const scale = Math.min(LARGEST, Math.max(1, view.scale * factor));
  const ratio = scale / view.scale;
  return clamp({ scale, x: point.x - (point.x - view.x) * ratio, y: point.y - (point.y - view.y) * ratio }, photo, stage);
}

/**
 * Move without showing more than the edge of the photo.
 * @param {View} view
 * @param {Size} photo at scale 1
 * @param {Size} stage
 * @returns {View}
 */
export function clamp(view, photo, stage) {
  const across = Math.max(0, (photo.width * view.scale - stage.width) / 2);
  const down = Math.max(0, (photo.height * view.scale - stage.height) / 2);
  return {
    scale: view.scale,
    x: Math.min(across, Math.max(-across, view.x)) || 0,
    y: Math.min(down, Math.max(-down, view.y)) || 0,
  };
}

/**
 * What a movement of one finger means that began at scale `scale`: the next or previous photo, closing, or nothing.
 * @param {number} scale
 * @param {number} across pixels to the right
 * @param {number} down pixels
 * @returns {"next" | "previous" | "close" | null}
 */
export function swipe(scale, across, down) {
  if (scale > 1) return null; // the movement pans the photo
  if (Math.abs(across) > 48 && Math.abs(across) > 2 * Math.abs(down)) return across < 0 ? "next" : "previous";
  return down > 96 && down > 2 * Math.abs(across) ? "close" : null;
}
