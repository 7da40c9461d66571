// Hashing, the order of parts, and what is remembered of uploads.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { hashesOf } from "../../web/static/js/model/hashing.js";
import { left, outdated, recognised } from "../../web/static/js/model/ledger.js";
import { arrived, sendParts } from "../../web/static/js/model/parts.js";
import { Restored } from "../../web/static/js/model/restored.js";
import { Sha256 } from "../../web/static/js/model/sha256.js";

/** @param {Uint8Array} data */
const reference = (data) => createHash("sha256").update(data).digest("hex");

/** @param {number} length */
function bytes(length) {
  const data = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) data[at] = (at * 31 + (at >> 8)) % 256;
  return data;
}

test("SHA-256 equals that of Node.js for every length around a block", () => {
  for (let length = 0; length <= 200; length += 1) {
    assert.equal(new Sha256().update(bytes(length)).hex(), reference(bytes(length)));
  }
});

test("SHA-256 does not depend on how the data arrives", () => {
  const data = bytes(10_000);
  for (const step of [1, 63, 64, 65, 1000]) {
    const hash = new Sha256();
    for (let at = 0; at < data.length; at += step) hash.update(data.subarray(at, at + step));
    assert.equal(hash.hex(), reference(data));
  }
});

test("a file is hashed as a whole and by its parts", async () => {
  const data = bytes(25);
  assert.deepEqual(await hashesOf(new Blob([data]), 10), {
    sha256: reference(data),
    parts: [reference(data.subarray(0, 10)), reference(data.subarray(10, 20)), reference(data.subarray(20))],
  });
  const small = await hashesOf(new Blob([data]), 25);
  assert.deepEqual(small, { sha256: reference(data), parts: [reference(data)] });
  assert.equal((await hashesOf(new Blob([]), 10)).sha256, reference(new Uint8Array()));
});

/** An upload of 13 parts whose storage keeps what arrives. `fail` decides what a transfer meets. */
function upload({ fail = () => false } = {}) {
  const hashes = Array.from({ length: 13 }, (_, at) => `hash ${at + 1}`);
  const stored = new Map();
  /** @type {number[]} */
  const sent = [];
  const done = new Set();
  const run = (received = []) => sendParts({ size: 8, count: 13, received }, hashes, done, {
    request: async (first, wanted) => wanted.map((sha256, at) => ({ number: first + at, url: "", headers: { sha256 } })),
    async put({ number, headers }, start, end) {
      sent.push(number);
      assert.deepEqual([start, end], [(number - 1) * 8, number * 8]);
      const fault = fail(number, sent);
      if (fault !== "before") stored.set(number, headers.sha256);
      if (fault) throw new Error("The connection was lost.");
    },
    onPart() {},
  });
  return { hashes, stored, sent, done, run };
}

for (const fault of ["before", "after"]) {
  test(`a connection that is cut ${fault} a part has arrived costs at most that part, wherever it is cut`, async () => {
    for (let cut = 1; cut <= 13; cut += 1) {
      let cuts = 0;
      const { hashes, stored, sent, run } = upload({ fail: (number) => number === cut && cuts++ === 0 && fault });
      await assert.rejects(run(), /lost/);
      await run();
      assert.equal(sent.length, 14);
      assert.deepEqual([...stored.values()], hashes);
    }
  });
}

test("after a reload only the parts are sent that have not arrived as they are in the file", async () => {
  const { hashes, sent, done, run } = upload();
  const received = hashes.slice(0, 6).map((sha256, at) => ({ number: at + 1, sha256: at === 2 ? "another" : sha256 }));
  for (const number of arrived({ size: 8, count: 13, received }, hashes)) done.add(number);
  await run(received);
  assert.deepEqual(sent, [3, 7, 8, 9, 10, 11, 12, 13]);
});

/** @param {string} name @param {object} [more] */
const entry = (name, more = {}) => ({
  key: name, viewer: "", tab: "", name, size: 5, modified: 7, type: "", batch: "b", total: 60, added: 0, hashes: null,
  image: null, form: null, anyway: false, ...more,
});
/** @param {string} name @param {object} [more] */
const file = (name, more = {}) => ({ name, size: 5, lastModified: 7, ...more });

test("files that are chosen again are recognised by name, size and time, each once", () => {
  const entries = [entry("a"), entry("a", { key: "second" }), entry("b")];
  const files = [file("a"), file("a"), file("a"), file("b", { size: 6 }), file("b", { lastModified: 8 })];
  assert.deepEqual([...recognised(entries, files).values()].map(({ key }) => key), ["a", "second"]);
});

test("what is left is counted over the batches", () => {
  assert.equal(left([entry("a"), entry("b")]), "2 of 60 left");
  assert.equal(left([entry("a"), entry("b", { batch: "c", total: 2 })]), "2 of 62 left");
});

test("an upload is remembered for a week", () => {
  assert.equal(outdated(entry("a"), 7 * 86_400_000), false);
  assert.equal(outdated(entry("a"), 7 * 86_400_000 + 1), true);
});

test("photos that had arrived before a reload and were deleted since are not waited for", () => {
  const restored = new Restored();
  restored.add("a", 60);
  const here = Array.from({ length: 28 }, () => ({ batch: "a", settled: true }));
  assert.deepEqual(restored.before(here, []), { arrived: 32, settled: 0 });
  restored.count([{ batch: "a", total: 59, described: 40, failed: 0 }]);
  assert.deepEqual(restored.before(here, []), { arrived: 31, settled: 12 });
  restored.count([{ batch: "a", total: 59, described: 58, failed: 1 }]);
  assert.deepEqual(restored.before(here, []), { arrived: 31, settled: 31 });
  restored.count([{ batch: "a", total: 20, described: 20, failed: 0 }]); // more than all of before
  assert.deepEqual(restored.before(here, []), { arrived: 0, settled: 0 });
});

test("files of a batch that had arrived before a reload are counted", () => {
  const restored = new Restored();
  restored.add("a", 60);
  restored.add("a", 28); // the total of the first page counts
  restored.add("all lost", 5);
  const here = [{ batch: "a", settled: true }, { batch: "a", settled: false }, { batch: "new", settled: false }];
  const lost = [{ batch: "a" }, { batch: "all lost" }];
  assert.deepEqual(restored.before(here, lost), { arrived: 57, settled: 0 });
  restored.count([{ batch: "a", total: 60, described: 30, failed: 2 }, { batch: "other", total: 9, described: 9, failed: 0 }]);
  assert.deepEqual(restored.before(here, lost), { arrived: 57, settled: 31 });
  restored.count([{ batch: "a", total: 60, described: 58, failed: 2 }]);
  assert.deepEqual(restored.before(here, lost), { arrived: 57, settled: 57 });
  restored.shrink("a");
  restored.shrink("unknown");
  assert.deepEqual(restored.before(here, lost), { arrived: 56, settled: 56 });
  restored.clear();
  assert.deepEqual(restored.before(here, lost), { arrived: 0, settled: 0 });
});
