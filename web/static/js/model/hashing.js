// The SHA-256 of a file and of its parts, read part by part. Pure: it needs the interface of Blob only.

import { Sha256 } from "./sha256.js";

/** @typedef {{sha256: string, parts: string[]}} Hashes of the whole file, and of each part */

/**
 * Read a file once. One of a single part is hashed by Web Crypto where there is one, which is faster.
 * @param {Blob} file
 * @param {number} size of a part, in bytes
 * @returns {Promise<Hashes>}
 */
export async function hashesOf(file, size) {
  const whole = file.size > size ? new Sha256() : null;
  const parts = [];
  for (let at = 0; at < file.size; at += size) {
    const data = new Uint8Array(await file.slice(at, at + size).arrayBuffer());
    parts.push(await digest(data));
    whole?.update(data);
  }
  return { sha256: whole?.hex() ?? parts[0] ?? new Sha256().hex(), parts };
}

/** @param {Uint8Array<ArrayBuffer>} data */
async function digest(data) {
  if (!globalThis.crypto?.subtle) return new Sha256().update(data).hex(); // the page is not a secure context
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
