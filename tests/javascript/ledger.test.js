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
/** Locks that are exclusive, as in a browser. @type {Map<string, Promise<unknown>>} */
const queues = new Map();
const locks = {
  /** @param {string} name @param {() => unknown} work */
  request(name, work) {
    const done = (queues.get(name) ?? Promise.resolve()).then(work);
    queues.set(name, done.catch(() => {}));
    return done;
  },
};
const globals = {
  indexedDB,
  window: { indexedDB },
  localStorage: { getItem: (/** @type {string} */ name) => marks.get(name) ?? null, setItem: marks.set.bind(marks) },
  navigator: { locks },
};
for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });

const turn = () => new Promise((resolve) => { setTimeout(resolve); });

/** Wait for reads, and let them end. */
async function end() {
  while (reads.length === 0) await turn();
  reads.splice(0).forEach((finish) => finish());
}

const { Ledger } = await import("../../web/static/js/core/ledger.js");

test("files that are added while the last ones are removed are still marked as left", async () => {
  const ledger = new Ledger("");
  await ledger.add([{ key: "a" }], new Map());
  const removed = ledger.remove(["a"]);
  while (reads.length === 0) await turn();
  const added = ledger.add([{ key: "b" }], new Map());
  await Promise.all([removed, added, end()]);
  assert.equal(marks.get("uploads"), "left");

  const last = ledger.remove(["b"]);
  await Promise.all([last, end()]);
  assert.equal(marks.get("uploads"), "none");
});

test("a tab that adds an upload while another removes its last one keeps the mark", async () => {
  const [one, two] = [new Ledger(""), new Ledger("")];
  await Promise.all([one.add([{ key: "a" }], new Map()), two.add([{ key: "b" }], new Map())]);
  await Promise.all([two.remove(["b"]), end()]);
  const removed = one.remove(["a"]);
  while (reads.length === 0) await turn(); // the first tab has found nothing left, and has not marked it yet
  const added = two.add([{ key: "c" }], new Map());
  await turn();
  await Promise.all([removed, added, end()]);
  assert.equal(marks.get("uploads"), "left");
  assert.deepEqual([...values.keys()], ["c"]);
});

test("an upload that is removed while another tab holds the lock is not written afterwards", async () => {
  values.clear();
  /** @type {() => void} */
  let release = () => {};
  locks.request("uploads", () => new Promise((resolve) => { release = () => resolve(undefined); }));
  const ledger = new Ledger("");
  const added = ledger.add([{ key: "a" }, { key: "b" }], new Map());
  const removed = ledger.remove(["a"]);
  await Promise.all([turn(), removed]);
  release();
  await added;
  assert.deepEqual([...values.keys()], ["b"]);

  await Promise.all([ledger.remove(["b"]), end()]);
  assert.equal(marks.get("uploads"), "none");
});
