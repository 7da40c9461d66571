import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Library } from "../../web/static/js/core/library.js";
import { Renewals } from "../../web/static/js/core/renewals.js";
import { Store } from "../../web/static/js/core/store.js";

const MONTH = "2026-11";
const real = globalThis.fetch;

/** The photos of the server, newest first. @type {{id: string, at: string, version: number, month: string}[]} */
let photos = [];
/** @type {Promise<unknown>} until which its answers are on their way */
let held = Promise.resolve();

/** @param {number} number higher ones are newer */
const photo = (number) => ({ id: `p${number}`, at: `2026-11-01T00:00:00.${String(number).padStart(3, "0")}`, version: 1, month: MONTH });

/** Answer as the server does. A cursor is a place in the order. @param {URL} url */
function answer({ pathname, searchParams }) {
  if (pathname.endsWith("/timeline")) {
    const months = photos.length ? [{ month: MONTH, count: photos.length }] : [];
    return { months, total: photos.length, exact: true };
  }
  if (pathname.endsWith("/images")) {
    const named = searchParams.get("ids")?.split(",") ?? [];
    assert.ok(named.length <= 100);
    const images = named.flatMap((id) => photos.filter((each) => each.id === id));
    return { images: images.map((each) => ({ ...each, grid_url: "new" })), next: null };
  }
  const cursor = searchParams.get("cursor");
  const limit = Number(searchParams.get("limit"));
  const below = photos.filter(({ at }) => !cursor || at < cursor);
  const shown = below.slice(0, limit);
  return { month: MONTH, urls: [], photos: shown, cursor: below.length > limit ? shown.at(-1)?.at : null };
}

beforeEach(() => {
  photos = Array.from({ length: 260 }, (_, index) => photo(259 - index));
  held = Promise.resolve();
  globalThis.fetch = async (path) => {
    const answered = answer(new URL(String(path), "http://gallery.test"));
    await held;
    return Response.json(answered);
  };
});

afterEach(() => {
  globalThis.fetch = real;
});

/** A library that has loaded the newest 100 photos. */
async function opened(query = "") {
  const library = new Library(new Store(), () => false, new Renewals(() => {}));
  await library.open(new URLSearchParams(query));
  assert.equal(library.sections.ids.length, 100);
  return library;
}

/** @param {Library} library */
async function loadToTheEnd(library) {
  const [section] = library.sections.list;
  while (section && section.next !== null) {
    const page = await library.load(section);
    if (page) library.take(page);
  }
}

/** The feed's news of photos, as the server gives them out. */
const news = ({ added = /** @type {any[]} */ ([]), removed = /** @type {string[]} */ ([]) }) =>
  ({ photos: added, removed, urls: [], batches: [], more: false, cursor: "" });

const ids = () => photos.map(({ id }) => id);

/** @param {Library} library @param {string[]} gone */
const ways = {
  "one deletes here": (library, gone) => gone.forEach((id) => library.remove(id)),
  "the feed removes": (library, gone) => library.apply(news({ removed: gone })),
  "move to another month": (library, gone) =>
    library.apply(news({ added: gone.map((id) => ({ ...photo(0), id, version: 2, month: "2020-01" })) })),
};

for (const [name, remove] of Object.entries(ways)) {
  test(`photos that ${name} leave no gap in what is loaded later`, async () => {
    const library = await opened();
    const gone = library.sections.ids.slice(40, 70);
    photos = photos.filter(({ id }) => !gone.includes(id));
    remove(library, gone);
    await loadToTheEnd(library);
    assert.deepEqual(library.sections.get(MONTH).ids, ids());
    assert.equal(library.sections.get(MONTH).count, 230);
  });
}

test("photos that arrive in front are shown once, and repeat none that is loaded later", async () => {
  const library = await opened();
  const added = Array.from({ length: 30 }, (_, index) => photo(300 + index));
  photos = [...added].reverse().concat(photos);
  library.apply(news({ added }));
  const before = library.sections.ids;
  const page = await library.load(library.sections.list[0]);
  assert.equal(page.photos.some(({ id }) => before.includes(id)), false);
  library.take(page);
  await loadToTheEnd(library);
  assert.deepEqual(library.sections.ids, ids());
  assert.equal(library.sections.total, 290);
});

test("a photo that is restored where a page ended is shown, although the last loaded ones are gone", async () => {
  const library = await opened();
  const gone = library.sections.ids.slice(-5);
  const back = library.store.get(gone[2]);
  photos = photos.filter(({ id }) => !gone.includes(id) || id === back.id);
  library.apply(news({ removed: gone }));
  library.apply(news({ added: [{ ...back, version: 2 }] }));
  assert.equal(library.sections.ids.at(-1), back.id);
  await loadToTheEnd(library);
  assert.deepEqual(library.sections.ids, ids());
});

test("a photo that arrives while the page is on its way that it belongs to is shown", async () => {
  const library = await opened();
  const coming = library.load(library.sections.list[0]);
  const added = { ...photo(100), id: "late", at: `${photo(100).at}5` };
  await new Promise((resolve) => setImmediate(resolve)); // the server has answered
  photos = photos.flatMap((each) => (each.id === "p100" ? [added, each] : [each]));
  library.apply(news({ added: [added] }));
  library.take(await coming);
  assert.deepEqual(library.sections.ids, ids());
  assert.equal(library.sections.total, 261);
});

test("addresses are renewed for a photo and its neighbours, wherever the server has it in its list", async () => {
  const library = await opened();
  const loaded = library.sections.ids.length;
  photos.unshift(...Array.from({ length: 120 }, (_, index) => photo(500 - index))); // not in this list, as in one of a search
  await library.renew("p200");
  const renewed = library.sections.ids.filter((id) => library.store.get(id)?.grid_url === "new");
  assert.ok(renewed.includes("p200"));
  assert.equal(renewed.length, loaded);
});

test("addresses of photos of files are renewed, but not of those that are still on their way", async () => {
  const library = await opened();
  const kept = photos.slice(0, 130).map(({ id }) => id);
  for (const each of photos.slice(100, 130)) library.store.put({ ...each, local: each.id === "p130" });
  library.add(kept);
  const last = /** @type {string} */ (kept.at(-2));
  await library.renew(last);
  assert.equal(library.store.get(last)?.grid_url, "new");
  assert.notEqual(library.store.get("p130")?.grid_url, "new");
});

/**
 * Do something while the answer to a request is on its way.
 * @template T
 * @param {() => Promise<T>} request @param {() => unknown} act
 */
async function meanwhile(request, act) {
  let release = (/** @type {unknown} */ _) => {};
  held = new Promise((resolve) => {
    release = resolve;
  });
  const coming = request();
  await act();
  release(null);
  return coming;
}

for (const [name, remove] of Object.entries(ways)) {
  test(`photos that ${name} while a page with them is on its way stay away`, async () => {
    const library = await opened();
    const gone = ["p100", "p0"];
    const page = await meanwhile(() => library.load(library.sections.list[0]), () => remove(library, gone));
    library.take(page);
    assert.deepEqual(library.sections.get(MONTH).ids, ids().filter((id) => !gone.includes(id)));
    assert.equal(library.sections.get(MONTH).count, 258);
    assert.equal(library.store.get("p0")?.month, name.startsWith("move") ? "2020-01" : undefined);
  });

  test(`photos that ${name} while the list is loaded are not shown, and the counts are asked for again`, async () => {
    const library = new Library(new Store(), () => false);
    const given = globalThis.fetch;
    globalThis.fetch = async (path) => {
      const found = await given(path);
      if (String(path).includes(`/timeline/${MONTH}`)) remove(library, ["p259"]);
      return found;
    };
    await library.open(new URLSearchParams());
    assert.equal(library.sections.get(MONTH)?.ids[0], "p258");
    assert.equal(library.uncounted, true);
  });
}

test("a photo that is deleted and restored while its page is on its way is shown", async () => {
  for (const query of ["", "q=cat"]) {
    const library = await opened(query);
    library.take(await meanwhile(() => library.load(library.sections.list[0]), () => {
      library.apply(news({ removed: ["p50"] }));
      library.apply(news({ added: [{ ...photo(50), version: 3 }] }));
    }));
    assert.deepEqual([library.sections.ids.includes("p50"), library.store.get("p50")?.version], [true, 3]);
  }
});

test("a page that is asked for later shows a photo that was restored meanwhile", async () => {
  const library = await opened("q=cat");
  library.remove("p50");
  await loadToTheEnd(library);
  assert.deepEqual(library.sections.ids, ids());
});

test("a photo that was to come with a later page and is deleted is not shown with it", async () => {
  const library = await opened();
  library.take(await meanwhile(() => library.load(library.sections.list[0]), () => {
    library.apply(news({ added: [{ ...photo(50), id: "late" }] }));
    library.remove("late");
  }));
  assert.equal(library.sections.places.has("late"), false);
});

test("counts that were on their way while photos came or went are asked for again", async () => {
  const library = await opened();
  library.apply(news({ removed: ["p50"] })); // which is not loaded
  await meanwhile(() => library.count(), () => library.remove("p250"));
  assert.equal(library.uncounted, true);
  assert.equal(library.sections.total, 259); // 260 less the loaded one: the answer may know of it or not
  await library.count();
  assert.equal(library.uncounted, false);
});

test("news of a photo leave it at its place in a list by the time of upload", async () => {
  const library = await opened("sort=uploaded");
  const before = library.sections.ids;
  const taken = { ...photo(250), at: "2019-05-01T00:00:00.000", month: "2019-05", uploaded: photo(250).at, version: 2 };
  library.apply(news({ added: [taken] }));
  assert.deepEqual(library.sections.ids, before);
  assert.deepEqual([library.store.get("p250")?.version, library.store.get("p250")?.at], [2, photo(250).at]);
});

test("a lost picture of another list is asked for at once, although the same month was renewed just now", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  const library = await opened();
  await library.renew("p200");
  void library.renew("p201"); // of the first list: waits for the end of the minute
  photos = photos.map((each) => ({ ...each, id: `cat-${each.id}` }));
  await library.open(new URLSearchParams("q=cat"));
  await library.renew("cat-p200");
  assert.equal(library.store.get("cat-p200")?.grid_url, "new");
});

for (const [name, query] of [["again", ""], ["after a search", "q=cat"]]) {
  test(`a photo that arrives while the list is loaded ${name} is shown`, async () => {
    const library = await opened(query);
    const added = { ...photo(300), version: 1 };
    const given = globalThis.fetch;
    globalThis.fetch = async (path) => {
      const found = await given(path);
      if (String(path).includes(`/timeline/${MONTH}`)) {
        photos = [added, ...photos];
        library.apply(news({ added: [added] }));
      }
      return found;
    };
    await library.open(new URLSearchParams());
    globalThis.fetch = given;
    assert.equal(library.sections.ids[0], "p300");
    await library.count();
    await loadToTheEnd(library);
    assert.deepEqual(library.sections.ids, ids());
    assert.equal(library.sections.total, 261);
  });
}

test("an answer that comes after the news of a later change changes nothing", async () => {
  const library = await opened();
  library.apply(news({ added: [{ ...photo(250), version: 3, caption: "Newer words." }] }));
  await library.renew("p250"); // answered with version 1
  assert.deepEqual([library.store.get("p250")?.caption, library.store.get("p250")?.version], ["Newer words.", 3]);
});

test("the news of a photo place it although an answer with the same version has come before them", async () => {
  const library = await opened();
  library.store.put({ ...photo(250), version: 2, status: "done", settled: true, name: "", alt: "" });
  const moved = { ...photo(250), version: 2, month: "2020-01", aspect: 2 };
  assert.equal(library.apply(news({ added: [moved] })).length, 1);
  assert.deepEqual([library.sections.places.get("p250")?.key, library.store.get("p250")?.aspect], ["2020-01", 2]);
  assert.equal(library.apply(news({ added: [moved] })).length, 0); // rows may come more than once
});

/** Load the list anew, with a person who looks at some photos. @param {Library} library @param {string[]} looked */
const reloaded = (library, looked = []) => library.reload({ looked: () => looked });

test("a list that is loaded anew has the pages of the photos that are looked at", async () => {
  const library = await opened();
  await loadToTheEnd(library);
  const gone = library.sections.ids[150];
  photos = photos.filter(({ id }) => id !== gone);
  let around = 0;
  await library.reload({
    looked: () => [gone, "p100", "unknown"],
    around(change) {
      around += 1;
      assert.equal(library.sections.ids.length, 260); // until now the old list is shown
      change();
      assert.ok(library.sections.places.has("p100"));
    },
  });
  assert.equal(around, 1);
  await reloaded(library);
  assert.equal(library.sections.ids.length, 100);
});

test("a list that is loaded anew holds photos of before until the page shows that they are gone", async () => {
  const library = await opened();
  await loadToTheEnd(library);
  const held = () => ["p258", "p150", "p2", "p1"].filter((id) => library.holds(id));
  await reloaded(library);
  assert.deepEqual(held(), ["p258", "p150", "p2", "p1"]);
  photos = photos.filter(({ id }) => !["p258", "p150", "p1"].includes(id));
  await reloaded(library);
  assert.deepEqual(held(), ["p150", "p2", "p1"]);
  library.remove("p1"); // a page that is not loaded would show it
  assert.deepEqual(held(), ["p150", "p2"]);
  await loadToTheEnd(library);
  assert.deepEqual(held(), ["p2"]);
  assert.equal(library.holds("elsewhere"), false);
});

test("a list of another query holds only photos that are loaded", async () => {
  const library = await opened();
  await loadToTheEnd(library);
  await library.open(new URLSearchParams("q=cat"));
  assert.deepEqual(["p258", "p2"].filter((id) => library.holds(id)), ["p258"]);
});
