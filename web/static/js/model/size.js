// Sizes of files as text. Pure.

/** @typedef {[bytes: number, name: string]} Unit */

/** @type {Unit} */
const MIB = [2 ** 20, "MiB"];
/** @type {Unit[]} */
const LARGER = [[2 ** 40, "TiB"], [2 ** 30, "GiB"]];

/**
 * The same text as the server's: imgcore/text.py, file_size.
 * @param {number} bytes
 * @param {(value: number) => number} [rounded]
 */
export function fileSize(bytes, rounded = Math.round) {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  if (bytes < 2 ** 20) return `${rounded(bytes / 1024)} KiB`;
  const [unit, name] = LARGER.find(([least]) => bytes >= least) ?? MIB;
  return `${(rounded((10 * bytes) / unit) / 10).toLocaleString("en")} ${name}`;
}
