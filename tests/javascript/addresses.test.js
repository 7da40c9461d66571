import assert from "node:assert/strict";
import { test } from "node:test";

import { filters, parse, path, title } from "../../web/static/js/core/router.js";
import { aspect, Store } from "../../web/static/js/core/store.js";
import { photoOf } from "../../web/static/js/model/rows.js";

const ID = "0123456789abcdef0123456789abcdef";

test("an address is a list, with a photo over it or not", () => {
  assert.deepEqual(parse({ pathname: `/photo/${ID}`, search: "?q=cat" }).photo, ID);
  assert.equal(parse({ pathname: "/photo/../../x", search: "" }).photo, null);
  assert.equal(path({ photo: ID, query: new URLSearchParams({ q: "a b" }) }), `/photo/${ID}?q=a+b`);
  assert.equal(path({ photo: null, query: new URLSearchParams() }), "/");
});

test("equal filters are equal as text, and unknown ones are left out", () => {
  const one = filters(new URLSearchParams("tag=cat&q=dog&evil=1&month="));
  assert.equal(one.toString(), "q=dog&tag=cat");
  assert.equal(one.toString(), filters(new URLSearchParams("q=dog&tag=cat")).toString());
});

test("the title names the filters", () => {
  assert.equal(title(new URLSearchParams("q=cat&month=2026-11&sort=uploaded"), "Gallery"), "cat, 2026-11 – Gallery");
  assert.equal(title(new URLSearchParams("tag=cat&similar=0f&album=0e"), "Gallery"), "cat, Similar photos, Album – Gallery");
  assert.equal(title(new URLSearchParams(), "Gallery"), "Gallery");
});

test("a row has its usual values where it is silent", () => {
  const photo = photoOf({ id: ID, version: 3, caption: "A cat.", url: [0, "abc"] }, ["https://b/{id}/grid.webp?s={signature}"]);
  assert.equal(photo.grid_url, `https://b/${ID}/grid.webp?s=abc`);
  assert.deepEqual([photo.status, photo.settled, photo.alt], ["done", true, "A cat."]);
  const working = photoOf({ id: ID, version: 3, name: "a.jpg", status: "working" }, []);
  assert.deepEqual([working.settled, working.alt, working.grid_url], [false, "Photo a.jpg, not described yet", null]);
});

test("the store keeps the newest version, and what only a whole image has", () => {
  const store = new Store();
  const row = { id: ID, version: 5, status: "done", settled: true, name: "", alt: "" };
  store.put({ ...row, tags: ["cat"] });
  assert.equal(store.put({ ...row, version: 4, caption: "old" }), false);
  assert.equal(store.put({ ...row, version: 6, caption: "new" }), true);
  assert.deepEqual([store.get(ID).caption, store.get(ID).tags], ["new", ["cat"]]);
});

test("watchers hear of all changes of a task at once, until their signal is aborted", async () => {
  const store = new Store();
  const heard = [];
  const end = new AbortController();
  store.watch((changed) => heard.push([...changed]), end.signal);
  for (const id of ["a", "b"]) store.put({ id, status: "done", settled: true, name: "", alt: "" });
  await null;
  end.abort();
  store.remove("a");
  await null;
  assert.deepEqual(heard, [["a", "b"]]);
});

test("a photo that is not decoded is square", () => {
  assert.deepEqual([aspect(undefined), aspect({ width: 4, height: 2 }), aspect({ aspect: 0.5, width: 4, height: 2 })], [1, 2, 0.5]);
});
