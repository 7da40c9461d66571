// Sizes of files as text. Pure.

/**
 * The same text as the server's: imgcore/text.py, file_size.
 * @param {number} bytes
 * @param {(value: number) => number} [rounded]
 */
export function fileSize(bytes, rounded = Math.round) {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  if (bytes < 2 ** 20) return `${rounded(bytes / 1024)} KiB`;
  return `${(rounded((10 * bytes) / 2 ** 20) / 10).toLocaleString("en")} MiB`;
}
