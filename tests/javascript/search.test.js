import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

const real = { ...globalThis };
/** @type {{path: string, answer: (error?: unknown) => void}[]} requests for the months of a list that are on their way */
let held = [];
let hold = false;

/** As much of an element as a search uses. */
const element = () => {
  /** @type {Set<string>} */
  const classes = new Set();
  const classList = { add: (name) => classes.add(name), remove: (name) => classes.delete(name), contains: (name) => classes.has(name) };
  return { classList, hidden: true, value: "", name: "q", elements: [], addEventListener() {}, replaceChildren() {}, append() {}, setAttribute() {}, contains: () => false };
};

Object.assign(globalThis, {
  document: { documentElement: { lang: "en" }, createElement: element, activeElement: null },
  HTMLInputElement: class {}, HTMLSelectElement: class {},
});
const { Library } = await import("../../web/static/js/core/library.js");
const { Store } = await import("../../web/static/js/core/store.js");
const { Search } = await import("../../web/static/js/view/search.js");

beforeEach(() => {
  held = [];
  hold = false;
  globalThis.fetch = (path, { signal } = {}) => new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
    const answer = (error) => (error ? reject(error) : resolve(Response.json({ months: [], exact: true, total: 0 })));
    if (hold) held.push({ path: String(path), answer });
    else answer();
  });
});

afterEach(() => {
  globalThis.fetch = real.fetch;
});

const soon = () => new Promise((resolve) => setTimeout(resolve));

/** A page that shows all photos. */
async function page() {
  const library = new Library(new Store(), () => false);
  const list = element();
  const search = new Search({
    input: { ...element(), form: null }, form: element(), chips: element(), failure: element(), list,
    open: (query) => library.open(query), opened() {},
  });
  await search.go(new URLSearchParams(), { remember: false });
  hold = true;
  const asked = () => held.map(({ path }) => new URL(path, "http://gallery.test").search);
  return { library, search, list, asked, cat: () => search.go(new URLSearchParams("q=cat")) };
}

test("a reload does not abort a search that is on its way, and loads what it found", async () => {
  const { library, list, asked, cat } = await page();
  const typed = cat();
  const reloaded = library.reload();
  await soon();
  held[0].answer();
  await typed;
  assert.equal(library.query.toString(), "q=cat");
  assert.equal(list.classList.contains("asking"), false);
  await soon();
  held[1].answer();
  await reloaded;
  assert.deepEqual(asked(), ["?q=cat", "?q=cat"]);
});

test("a reload waits for the last of several searches", async () => {
  const { library, search, asked, cat } = await page();
  const first = cat();
  const reloaded = library.reload();
  const second = search.go(new URLSearchParams("q=dog"));
  await first;
  await soon();
  held[1].answer();
  await second;
  await soon();
  held[2].answer();
  await reloaded;
  assert.deepEqual([asked(), library.query.toString()], [["?q=cat", "?q=dog", "?q=dog"], "q=dog"]);
});

test("a reload is done with the list of a search that began after it", async () => {
  const { library, asked, cat } = await page();
  const reloaded = library.reload();
  await soon();
  const typed = cat();
  await soon();
  held[1].answer();
  await Promise.all([typed, reloaded]);
  assert.deepEqual(asked(), ["", "?q=cat"]);
});

test("a reload loads the shown list where a search fails that began after it", async () => {
  const { library, asked, cat } = await page();
  const reloaded = library.reload();
  await soon();
  const typed = cat();
  await soon();
  held[1].answer(new TypeError("Failed to fetch"));
  await typed;
  await soon();
  held[2].answer();
  await reloaded;
  assert.deepEqual([asked(), library.query.toString()], [["", "?q=cat", ""], ""]);
});

test("a reload that fails says so", async () => {
  const { library } = await page();
  const reloaded = library.reload();
  await soon();
  held[0].answer(new TypeError("Failed to fetch"));
  await assert.rejects(reloaded, /cannot be reached/);
});
