// The mark that tells the next page whether uploads are left.

import assert from "node:assert/strict";
import { test } from "node:test";

/** Ends reads only when the test says so. @type {(() => void)[]} */
const reads = [];
const values = new Map();
const store = {
  put: (/** @type {{key: string}} */ entry) => values.set(entry.key, entry),
  delete: (/** @type {string} */ key) => values.delete(key),
  getAll() {
    const request = { result: [...values.values()], onsuccess() {} };
    reads.push(() => request.onsuccess());
    return request;
  },
};
const database = {
  transaction() {
    const transaction = { objectStore: () => store, oncomplete() {} };
    setTimeout(() => transaction.oncomplete());
    return transaction;
  },
};
const indexedDB = {
  open() {
    const request = { result: database, onsuccess() {} };
    setTimeout(() => request.onsuccess());
    return request;
  },
};
const marks = new Map();
const globals = {
  indexedDB,
  window: { indexedDB },
  localStorage: { getItem: (/** @type {string} */ name) => marks.get(name) ?? null, setItem: marks.set.bind(marks) },
  navigator: { locks: { request: async () => {} } },
};
for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });

const { Ledger } = await import("../../web/static/js/core/ledger.js");

test("files that are added while the last ones are removed are still marked as left", async () => {
  const ledger = new Ledger("");
  await ledger.add([{ key: "a" }], new Map());
  const removed = ledger.remove(["a"]);
  while (reads.length === 0) await new Promise((resolve) => { setTimeout(resolve); });
  const added = ledger.add([{ key: "b" }], new Map());
  reads.splice(0).forEach((end) => end());
  await Promise.all([removed, added]);
  assert.equal(marks.get("uploads"), "left");

  const last = ledger.remove(["b"]);
  while (reads.length === 0) await new Promise((resolve) => { setTimeout(resolve); });
  reads.splice(0).forEach((end) => end());
  await last;
  assert.equal(marks.get("uploads"), "none");
});
