// Hashes files in a worker, so that the page stays responsive.

import { limits } from "./limits.js";
import { workerScript } from "./scripts.js";

/** @typedef {import("../model/hashing.js").Hashes} Hashes */

/** The file itself cannot be read; any other error is the worker's, and the file may be hashed later. */
export class Unreadable extends Error {}

/** @type {Worker | null} */
let worker = null;
let number = 0;
/** @type {Map<number, {resolve: (hashes: Hashes) => void, reject: (error: Error) => void}>} */
const waiting = new Map();

/**
 * @param {File} file
 * @param {AbortSignal} signal
 * @returns {Promise<Hashes>} rejects with Unreadable, an AbortError, or an error of the worker
 */
export function hash(file, signal) {
  worker ??= start();
  number += 1;
  const id = number;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    signal.addEventListener("abort", () => {
      waiting.delete(id);
      reject(new DOMException("Cancelled", "AbortError"));
    }, { once: true });
    worker?.postMessage({ id, file, size: limits.part_bytes });
  });
}

function start() {
  const made = new Worker(workerScript("hash"), { type: "module" });
  made.addEventListener("message", ({ data: { id, hashes, error } }) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.reject(new Unreadable(error));
    else asked?.resolve(hashes);
  });
  made.addEventListener("error", () => {
    for (const { reject } of waiting.values()) reject(new Error("Checking this file was interrupted."));
    waiting.clear();
    worker = null; // the next file starts another
  });
  return made;
}
