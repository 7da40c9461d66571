import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, mock, test } from "node:test";

const real = { fetch: globalThis.fetch, navigator: Object.getOwnPropertyDescriptor(globalThis, "navigator") };
const limits = readFileSync(new URL("../../web/static/limits.json", import.meta.url), "utf8");
const LONG = 40_000; // milliseconds: every wait of a feed has ended

/** A page that is looked at. */
const page = () => ({
  document: Object.assign(new EventTarget(), { hidden: false, body: { dataset: { limits } } }),
  window: Object.assign(new EventTarget(), { BroadcastChannel }),
});
Object.assign(globalThis, page());
const { Feed } = await import("../../web/static/js/core/feed.js");

/** Locks as the Web Locks API gives them: one holder of a name; others wait, until it is done or they give up. */
class Locks {
  /** @type {Map<string, Promise<unknown>>} */ ends = new Map();

  /** @param {string} name @param {{signal: AbortSignal}} options @param {() => Promise<unknown>} run */
  request(name, { signal }, run) {
    const before = this.ends.get(name) ?? Promise.resolve();
    const held = new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      before.then(() => !signal.aborted && resolve(null));
    }).then(run);
    this.ends.set(name, Promise.allSettled([before, held]));
    return held;
  }
}

/** @type {string[]} what has changed, by the names of photos */
let changes = [];
/** @type {string[]} the cursors that were sent */
let asked = [];
/** @type {Promise<unknown>} until which answers are on their way */
let held = Promise.resolve();
/** @type {InstanceType<typeof Feed>[]} */
let feeds = [];
let status = 200;
let renewed = false; // whether cursors are replaced although nothing has changed

/** Answer as the server does: a cursor changes with the news, and only rarely without. @param {string} since */
function answer(since) {
  const from = Number(since.split(" ")[0]);
  const photos = changes.slice(from).map((id) => ({ id, version: 1 }));
  const cursor = photos.length || renewed ? `${changes.length}${renewed ? " later" : ""}` : since;
  return { cursor, photos, removed: [], urls: [], batches: [], more: false };
}

beforeEach(() => {
  [changes, asked, feeds, held, status, renewed] = [[], [], [], Promise.resolve(), 200, false];
  Object.assign(globalThis, page());
  mock.timers.enable({ apis: ["setTimeout"] });
  Object.defineProperty(globalThis, "navigator", { value: { locks: new Locks() }, configurable: true });
  globalThis.fetch = async (path, { signal } = {}) => {
    const since = new URL(String(path), "http://gallery.test").searchParams.get("since") ?? "";
    asked.push(since);
    const [given, code] = [answer(since), status];
    await Promise.race([held, new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)))]);
    return code === 200 ? Response.json(given) : Response.json({ code: "x", detail: "Not now." }, { status: code });
  };
});

afterEach(async () => {
  for (const feed of feeds) feed.pause();
  await settled();
  mock.timers.reset();
  globalThis.fetch = real.fetch;
  Object.defineProperty(globalThis, "navigator", real.navigator ?? { value: undefined, configurable: true });
});

/** Let messages, answers and locks arrive. Messages cross threads: each takes some turns of the event loop. */
async function settled() {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Let the time of the next polls come. */
async function later() {
  mock.timers.tick(LONG);
  await settled();
}

/** A window that follows the feed from a cursor of its own. @param {string} name */
async function opened(name) {
  /** @type {string[]} */
  const shown = [];
  const feed = new Feed({
    name: "feed",
    onChanges: ({ photos }) => void shown.push(...photos.map(({ id }) => id)),
    async onReset() {
      [status, shown.length] = [200, 0];
      shown.push(...changes);
      return `${changes.length} ${name}`;
    },
    onReach() {},
  });
  feeds.push(feed);
  feed.start(`${changes.length} ${name}`);
  await settled();
  return { feed, shown };
}

test("one of two windows asks, and both show what has changed", async () => {
  const [first, second] = [await opened("a"), await opened("b")];
  for (const [name, requests] of [["cat", 2], ["dog", 1], ["cow", 1]]) { // the first message follows no cursor of the second
    asked = [];
    changes.push(String(name));
    await later();
    assert.equal(asked.length, requests);
  }
  assert.deepEqual([first.shown, second.shown], [changes, changes]);
});

test("a window that is looked at again asks at once for what it has missed, although another one polls", async () => {
  const [, second] = [await opened("a"), await opened("b")];
  changes.push("before");
  await later();
  second.feed.pause();
  changes.push("away");
  await later();
  second.feed.resume();
  await settled();
  assert.deepEqual(second.shown, ["before", "away"]);
  changes.push("later");
  await later();
  assert.deepEqual(second.shown, changes);
});

test("a message that comes while an older answer is on its way loses nothing", async () => {
  await opened("a");
  let release = (/** @type {unknown} */ _) => {};
  held = new Promise((resolve) => {
    release = resolve;
  });
  const coming = opened("b"); // its answer is on its way
  await settled();
  held = Promise.resolve();
  changes.push("cat");
  await later(); // the first window sends it
  release(null);
  const { shown } = await coming;
  await settled();
  assert.deepEqual(shown, ["cat"]);
});

test("a window that has asked by itself does not ask again for what another one sends", async () => {
  const [, second] = [await opened("a"), await opened("b")];
  changes.push("cat");
  second.feed.hurry();
  await settled();
  asked = [];
  await later();
  assert.deepEqual([asked.length, second.shown], [1, ["cat"]]);
});

test("a cursor that moves without news moves in every window", async () => {
  const [, second] = [await opened("a"), await opened("b")];
  changes.push("cat");
  await later();
  renewed = true;
  await later();
  assert.equal(second.feed.cursor, "1 later");
  assert.deepEqual(second.shown, ["cat"]);
});

test("the second window polls once the first is hidden", async () => {
  const [first, second] = [await opened("a"), await opened("b")];
  first.feed.pause();
  await settled();
  for (const name of ["cat", "dog"]) {
    changes.push(name);
    await later();
  }
  assert.deepEqual(second.shown, changes);
});

test("a window that does not poll asks again until it has caught up", async () => {
  const [, second] = [await opened("a"), await opened("b")];
  second.feed.pause();
  changes.push("away");
  await later();
  status = 503;
  second.feed.resume();
  await settled();
  assert.deepEqual(second.shown, []);
  status = 200;
  await later();
  assert.deepEqual(second.shown, ["away"]);
});

test("a window whose cursor has expired loads its list anew, and follows the news from there", async () => {
  const [first, second] = [await opened("a"), await opened("b")];
  changes.push("cat");
  status = 410;
  second.feed.hurry();
  await settled();
  assert.deepEqual(second.shown, ["cat"]);
  changes.push("dog");
  await later();
  assert.deepEqual([first.shown, second.shown], [changes, changes]);
});

test("without locks every window polls for itself", async () => {
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  const [first, second] = [await opened("a"), await opened("b")];
  for (const name of ["cat", "dog"]) {
    asked = [];
    changes.push(name);
    await later();
    assert.equal(asked.length, 2);
  }
  assert.deepEqual([first.shown, second.shown], [changes, changes]);
});
