// Detect the media type of a file by its first bytes; its name and declared type are ignored.

const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

const HEIC = new Set(["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"]);
const HEIF = new Set(["mif1", "msf1", "mif2"]);

// bytes: the first 64 bytes of the file or fewer. Returns a media type, or null.
export function mediaType(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "image/jpeg";
  if (text(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return "image/png";
  if (/^GIF8[79]a$/.test(text(bytes, 0, 6))) return "image/gif";
  if (text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 12) === "WEBP") return "image/webp";
  return text(bytes, 4, 8) === "ftyp" ? brand(bytes) : null;
}

// ISO/IEC 14496-12: the major brand, four bytes of version, then the compatible brands.
function brand(bytes) {
  const end = Math.min(bytes.length, new DataView(bytes.buffer, bytes.byteOffset).getUint32(0));
  const brands = [text(bytes, 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(text(bytes, at, at + 4));
  if (brands.some((name) => name === "avif" || name === "avis")) return "image/avif";
  if (brands.some((name) => HEIC.has(name))) return "image/heic";
  return brands.some((name) => HEIF.has(name)) ? "image/heif" : null;
}

// Rejects if the file cannot be read (a folder, a deleted file).
export async function sniff(file) {
  return mediaType(new Uint8Array(await file.slice(0, 64).arrayBuffer()));
}
