// A worker that hashes files: {id, file, size} in, {id, hashes} or {id, error} out.

import { hashesOf } from "../model/hashing.js";

self.addEventListener("message", async ({ data: { id, file, size } }) => {
  try {
    self.postMessage({ id, hashes: await hashesOf(file, size) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
});
