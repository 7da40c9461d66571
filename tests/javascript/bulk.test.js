import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Actions } from "../../web/static/js/core/actions.js";
import { Bulk } from "../../web/static/js/core/bulk.js";
import { reportErrors } from "../../web/static/js/core/guard.js";

const real = globalThis.fetch;

/** @type {{path: string, body: any}[]} the requests, also those that failed */
let sent = [];
/** @type {Map<number, number>} the status of requests that fail, by their number */
let failures = new Map();

beforeEach(() => {
  sent = [];
  failures = new Map();
  Object.assign(globalThis, { document: { activeElement: null }, HTMLElement: class {} });
  globalThis.fetch = async (path, { body } = {}) => {
    const asked = body ? JSON.parse(String(body)) : {};
    sent.push({ path: String(path), body: asked });
    const status = failures.get(sent.length);
    if (status) return Response.json({ code: "made_up", detail: "The gallery is busy." }, { status });
    if (!String(path).includes("/bulk")) return Response.json({ id: "a" });
    const ids = asked.undo?.[0].ids ?? asked.ids ?? page(asked.cursor);
    const results = ids.map((/** @type {string} */ id) => ({ id, status: "changed" }));
    const undo = [{ action: "remove_tags", ids, tags: ["x"] }];
    const next = asked.query && ids.at(-1) !== "2999" ? String(Number(ids.at(-1)) + 1) : null;
    return Response.json({ results, summary: `${ids.length.toLocaleString("en")} changed.`, undo, next });
  };
});

afterEach(() => {
  globalThis.fetch = real;
});

/** @param {number} count @param {number} [from] */
const ids = (count, from = 0) => Array.from({ length: count }, (_, index) => String(from + index));

/** A page of the 3,000 photos that a search finds. @param {string | null} cursor */
const page = (cursor) => ids(1000, Number(cursor ?? 0));

/** A page that keeps what it is asked for. */
function scene() {
  /** @type {{text: string, action: any}[]} */
  const toasts = [];
  /** @type {{text: string, action: any}[]} */
  const dismissed = [];
  /** @type {string[]} */
  const called = [];
  const given = {
    toast(/** @type {string} */ text, /** @type {any} */ action) {
      const toast = { text, action };
      toasts.push(toast);
      return () => dismissed.push(toast);
    },
    progress() {}, removed() {}, focus() {},
    keepPlace: (/** @type {() => void} */ change) => change(),
    reload: async () => { called.push("reload"); },
    news: () => called.push("news"),
  };
  const offered = () => toasts.filter(({ action }) => action).map(({ text, action }) => `${text} ${action.label}`);
  return { toasts, dismissed, called, given, offered, bulk: new Bulk(given) };
}

test("Undo that fails between two requests is offered again for the rest, and shows what it has undone", async () => {
  const { bulk, toasts, called, offered } = scene();
  await bulk.run("add_tags", { ids: ids(3500) }, { tags: ["x"] });
  assert.deepEqual(offered(), ["3,500 changed. Undo"]);
  sent = [];
  failures = new Map([[2, 503], [3, 429]]);
  called.length = 0;
  await assert.rejects(toasts[0].action.run(), /busy/);
  assert.deepEqual([offered().at(-1), called], ["2,500 photos are left to undo. Undo", ["news", "reload"]]);
  called.length = 0;
  await assert.rejects(toasts.at(-1).action.run(), /busy/);
  assert.deepEqual([offered().at(-1), called], ["2,500 photos are left to undo. Undo", ["news"]]); // nothing has changed
  await toasts.at(-1).action.run();
  assert.deepEqual(toasts.at(-1), { text: "2,500 changed.", action: undefined });
  const undone = sent.filter((_, index) => !failures.has(index + 1)).flatMap(({ body }) => body.undo[0].ids);
  assert.deepEqual(undone, ids(3500));
});

test("Undo that cannot succeed any more is not offered again, the rest of it is", async () => {
  const { bulk, toasts, offered } = scene();
  await bulk.run("add_tags", { ids: ids(1500) }, { tags: ["x"] });
  failures = new Map([[3, 404], [4, 409]]);
  await assert.rejects(toasts[0].action.run(), /busy/);
  assert.equal(offered().at(-1), "500 photos are left to undo. Undo");
  await assert.rejects(toasts.at(-1).action.run(), /busy/);
  assert.equal(offered().length, 2);
});

test("an action on a list that fails between two requests shows, undoes and continues", async () => {
  const { bulk, called, offered, toasts } = scene();
  failures = new Map([[2, 503]]);
  const wanted = { query: "tag=cat", except: [], total: 3000, exact: true };
  await assert.rejects(bulk.run("add_tags", wanted, { tags: ["x"] }), /busy/);
  assert.deepEqual(offered(), ["1,000 changed. Undo", "2,000 photos are left. Continue"]);
  assert.deepEqual(called, ["news", "reload"]);
  failures = new Map([[3, 503]]);
  await assert.rejects(toasts.at(-1)?.action.run(), /busy/);
  assert.equal(offered().at(-1), "2,000 photos are left. Continue");
  await toasts.at(-1)?.action.run();
  assert.equal(offered().at(-1), "3,000 changed. Undo");
  assert.deepEqual(sent.map(({ body }) => body.cursor), [null, "1000", "1000", "1000", "2000"]);
  assert.deepEqual(new Set(sent.map(({ body: { cursor: _, ...rest } }) => JSON.stringify(rest))), new Set([
    JSON.stringify({ action: "add_tags", tags: ["x"], query: { tag: "cat" }, except: [] }),
  ]));
});

test("what is left of a list is not counted where it may have photos that are left out", async () => {
  const { bulk, offered, toasts } = scene();
  failures = new Map([[3, 503]]);
  await assert.rejects(bulk.run("trash", { query: "", except: ids(1000), total: 3000, exact: true }), /busy/);
  assert.equal(offered().at(-1), "Other photos are left. Continue");
  await toasts.at(-1)?.action.run();
  assert.deepEqual(sent.map(({ body }) => body.cursor), [null, "1000", "2000", "2000"]);
});

test("an action on named photos continues with those that an error has left", async () => {
  const { bulk, offered, toasts } = scene();
  failures = new Map([[1, 503], [3, 503]]);
  await assert.rejects(bulk.run("recaption", { ids: ids(2001) }), /busy/);
  assert.deepEqual(offered(), []); // they are still selected
  await assert.rejects(bulk.run("recaption", { ids: ids(1001) }), /busy/);
  assert.deepEqual(offered(), ["1,000 changed. Undo", "1 photo is left. Continue"]);
  await toasts.at(-1)?.action.run();
  assert.deepEqual(sent.map(({ body }) => body.ids.length), [1000, 1000, 1, 1]);
  assert.equal(sent.at(-1)?.body.ids[0], "1000");
});

test("a photo that could not be taken out of the trash is offered again, unless it is gone", async () => {
  const { given, toasts, offered } = scene();
  const store = { get: () => ({ id: "a", name: "a.jpg" }), put() {} };
  const library = { store, added: [], sections: { neighbour: () => null }, remove() {}, place() {} };
  const actions = new Actions(/** @type {any} */ (library), /** @type {any} */ ({ now: null }), given);
  await actions.remove("a");
  failures = new Map([[2, 503], [4, 404]]);
  await assert.rejects(toasts.at(-1).action.run(), /busy/);
  assert.deepEqual(offered(), ["Moved to the trash. Undo", "a.jpg is still in the trash. Undo"]);
  await toasts.at(-1).action.run();
  await assert.rejects(toasts.at(-1).action.run(), /a.jpg cannot be restored: it was deleted for good/);
  assert.equal(offered().length, 2);
});

test("an action that was continued can be undone from its beginning, and leaves one message", async () => {
  const { bulk, toasts, dismissed, offered } = scene();
  failures = new Map([[2, 503], [3, 503]]);
  const run = bulk.run("add_tags", { ids: ids(2000) }, { tags: ["x"] });
  await assert.rejects(run, /busy/);
  for (const again of [true, false]) {
    const running = toasts.at(-1)?.action.run();
    if (again) await assert.rejects(running, /busy/);
    else await running;
  }
  assert.deepEqual(offered(), [
    "1,000 changed. Undo", "1,000 photos are left. Continue", "1,000 changed. Undo", "1,000 photos are left. Continue",
    "2,000 changed. Undo",
  ]);
  assert.deepEqual(dismissed, [toasts[0], toasts[2]]);
  sent = [];
  failures = new Map();
  await toasts.at(-1)?.action.run();
  assert.deepEqual(sent.flatMap(({ body }) => body.undo[0].ids), ids(2000));
});

test("what was undone before the action is continued is not undone again", async () => {
  const { bulk, toasts } = scene();
  failures = new Map([[2, 503]]);
  await assert.rejects(bulk.run("add_tags", { ids: ids(2000) }, { tags: ["x"] }), /busy/);
  const [first, left] = toasts;
  await first?.action.run();
  await left?.action.run();
  assert.equal(toasts.at(-1)?.text, "1,000 changed.");
  sent = [];
  await toasts.at(-1)?.action.run();
  assert.deepEqual(sent.flatMap(({ body }) => body.undo[0].ids), ids(1000, 1000));
});

test("the error of an action is not hidden by that of the reload after it", async () => {
  const { bulk, given } = scene();
  /** @type {string[]} */
  const reported = [];
  reportErrors((error) => reported.push(error.message));
  given.reload = () => Promise.reject(new Error("not reloaded"));
  failures = new Map([[2, 503]]);
  await assert.rejects(bulk.run("add_tags", { query: "", except: [], total: 3000, exact: true }), /busy/);
  failures = new Map([[4, 503]]);
  await assert.rejects(bulk.undo([{ action: "trash", ids: ids(1500) }]), /busy/);
  assert.deepEqual(reported, ["not reloaded", "not reloaded"]);
});
