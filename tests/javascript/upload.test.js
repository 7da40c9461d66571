// What becomes of uploads whose files are not hashed.

import assert from "node:assert/strict";
import { test } from "node:test";

/** The worker's answer to a file. @type {(worker: FakeWorker, id: number) => void} */
let answer = () => {};
class FakeWorker extends EventTarget {
  /** @param {{id: number}} message */
  postMessage({ id }) {
    setTimeout(() => answer(this, id));
  }
}
/** @type {string[]} */
const requests = [];
const globals = {
  document: { body: { dataset: { limits: "{}" } } },
  window: globalThis,
  Worker: FakeWorker,
  fetch: async (/** @type {string} */ path, /** @type {{method: string}} */ { method }) => {
    requests.push(`${method} ${path}`);
    return { status: 204 };
  },
};
for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });

const { Upload, UNREADABLE } = await import("../../web/static/js/core/upload.js");
const { Uploads } = await import("../../web/static/js/core/uploads.js");
const { Store } = await import("../../web/static/js/core/store.js");

/** Run an upload that an earlier page has begun. */
async function run() {
  requests.length = 0;
  /** @type {string[]} */
  const shown = [];
  const uploads = {
    refused: [],
    store: { put: ({ status }) => shown.push(status) },
    ledger: { change: async () => {} },
    listeners: { onChange() {} },
    drop() {},
  };
  const entry = { key: "k", batch: "b", anyway: false, hashes: null, image: "the-image", form: null };
  const upload = new Upload({ name: "a.jpg", size: 5 }, uploads, "b", { entry });
  await upload.run();
  return { upload, uploads, shown };
}

test("an upload is interrupted, and keeps its image, where the worker cannot be loaded or stops", async () => {
  answer = (worker) => worker.dispatchEvent(new Event("error"));
  const { upload, uploads, shown } = await run();
  assert.deepEqual([shown.at(-1), upload.stopped, uploads.refused, requests], ["interrupted", true, [], []]);
  assert.equal(upload.image?.id, "the-image");
});

test("a file that cannot be read is refused, and its image is deleted", async () => {
  answer = (worker, id) => worker.dispatchEvent(Object.assign(new Event("message"), { data: { id, error: "NotReadableError" } }));
  const { upload, uploads } = await run();
  assert.deepEqual(uploads.refused, [{ name: "a.jpg", reason: UNREADABLE }]);
  assert.deepEqual([upload.stopped, requests], [false, ["DELETE /api/v1/images/the-image"]]);
});

test("all uploads that wait are cancelled in one step", () => {
  /** @type {string[][]} */
  const removed = [];
  const ledger = { remove() {}, shrink() {} };
  const uploads = new Uploads(/** @type {any} */ ({}), new Store(), /** @type {any} */ (ledger), {
    onRemove: (ids) => removed.push(ids), onChange() {}, onAdd() {}, onSent() {}, onProgress() {},
  });
  const [sending, ...waiting] = Array.from({ length: 1000 }, (_, at) => new Upload(/** @type {any} */ ({ name: `${at}.jpg` }), uploads, "b"));
  uploads.queue.push(...waiting);
  uploads.active.add(sending);
  uploads.round.push(sending, ...waiting);
  uploads.cancelAll();
  assert.deepEqual(removed, [waiting.map(({ id }) => id)]);
  assert.deepEqual([uploads.queue, uploads.round, sending.abort.signal.aborted], [[], [sending], true]);
});
