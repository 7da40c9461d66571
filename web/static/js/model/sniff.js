// Detect the media type of a file by its first bytes; its name and declared type are ignored.

/** @param {Uint8Array} bytes @param {number} from @param {number} to */
const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

const AVIF = new Set(["avif", "avis"]);
const HEIC = new Set(["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"]);
const HEIF = new Set(["mif1", "msf1", "mif2", "miaf"]);

/** @typedef {{at: number, bytes: string, name: string}} Foreign a kind of file: its first bytes, from an offset */

/**
 * Returns a media type, or null.
 * @param {Uint8Array} bytes the first 512 of the file, or fewer
 */
export function mediaType(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "image/jpeg";
  if (text(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return "image/png";
  if (/^GIF8[79]a$/.test(text(bytes, 0, 6))) return "image/gif";
  if (text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 12) === "WEBP") return "image/webp";
  if (text(bytes, 0, 2) === "BM") return "image/bmp";
  if (/^(II\*\0|MM\0\*)$/.test(text(bytes, 0, 4))) return "image/tiff"; // or a raw file, which the server finds out
  if (text(bytes, 0, 15) === "FUJIFILMCCD-RAW") return "image/x-fuji-raf";
  if (text(bytes, 4, 12) === "ftypcrx ") return "image/x-canon-cr3";
  return text(bytes, 4, 8) === "ftyp" ? brand(bytes) : null;
}

/**
 * Returns what the file is instead of a picture that is accepted, or null. The same as imgcore/gallery/foreign_formats.py.
 * @param {Uint8Array} bytes
 * @param {Foreign[]} formats
 */
export function foreignName(bytes, formats) {
  const found = formats.find(({ at, bytes: mark }) => text(bytes, at, at + mark.length) === mark);
  if (found) return found.name;
  const head = text(bytes, 0, bytes.length);
  return /^(\xef\xbb\xbf)?\s*<(\?xml|svg)/i.test(head) && /<svg/i.test(head) ? "an SVG drawing" : null;
}

/**
 * Returns the names of films that lie beside a photo of the same name, as those of Live Photos do: IMG_1.MOV beside
 * IMG_1.HEIC, or IMG_1.HEIC.MOV.
 * @param {string[]} names of files that were added together
 */
export function filmsOfPhotos(names) {
  const photos = new Set(names.filter((name) => /\.(heic|heif|jpe?g)$/i.test(name)).flatMap((name) => [stem(name), name.toLowerCase()]));
  return new Set(names.filter((name) => /\.(mov|mp4)$/i.test(name) && photos.has(stem(name))));
}

/** @param {string} name */
const stem = (name) => name.toLowerCase().replace(/\.[^.]*$/, "");

// ISO/IEC 14496-12: the major brand, four bytes of version, then the compatible brands. Without a brand that is known,
// the handler of the items decides (ISO/IEC 23008-12, 6.2).
/** @param {Uint8Array} bytes */
function brand(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const end = Math.min(bytes.length, length);
  const brands = [text(bytes, 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(text(bytes, at, at + 4));
  if (brands.some((name) => HEIC.has(name)) && !AVIF.has(brands[0] ?? "")) return "image/heic";
  if (brands.some((name) => AVIF.has(name))) return "image/avif";
  const pictures = /meta.{4,60}pict/s.test(text(bytes, end, bytes.length));
  return pictures || brands.some((name) => HEIF.has(name)) ? "image/heif" : null;
}
