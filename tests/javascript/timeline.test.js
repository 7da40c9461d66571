import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Sections } from "../../web/static/js/model/sections.js";
import { page, Stub } from "./stub.js";

Object.assign(globalThis, {
  window: { scrollY: 0, innerHeight: 800, addEventListener() {} },
  ResizeObserver: class {
    observe() {}
  },
  requestAnimationFrame() {}, cancelAnimationFrame() {},
});
const { PhotoTimeline } = await import("../../web/static/js/view/timeline.js");

beforeEach(() => {
  page.activeElement = null;
});

/** A timeline with the tiles of a file on its way and of two photos, one of which is that file. */
function scene() {
  const sections = new Sections(() => 1);
  sections.set([{ key: "added", count: 1 }, { key: "2026-11", count: 2 }]);
  sections.append("added", ["file"], null);
  sections.append("2026-11", ["photo", "other"], null);
  const store = { get: (/** @type {string} */ id) => ({ id, name: id, alt: id, status: "done", settled: true }) };
  /** @type {any} */
  const timeline = new PhotoTimeline();
  timeline.connectedCallback();
  timeline.setUp(/** @type {any} */ ({ store, sections, load: async () => {}, title: () => "", renew() {} }));
  timeline.render();
  /** @param {string} id @returns {Stub} */
  const card = (id) => timeline.below.find((/** @type {Stub} */ each) => each.className === "card" && each.dataset.id === id);
  const rename = () => {
    sections.remove("photo");
    sections.rename("file", "photo");
    timeline.rename("file", "photo");
  };
  const reached = () => timeline.below.filter((/** @type {Stub} */ { tabIndex }) => tabIndex === 0);
  return { timeline, sections, card, rename, reached };
}

for (const part of [0, 1]) {
  test(`the tile of a file takes the focus of the tile that the feed has made of its photo (part ${part})`, () => {
    const { card, rename, reached } = scene();
    const frame = card("file").firstChild;
    card("photo").children[part]?.focus();
    assert.deepEqual(reached(), [card("photo").firstChild]);
    rename();
    assert.ok(frame && page.activeElement === frame);
    assert.deepEqual(reached(), [frame]);
  });
}

test("the tile of a file takes the turn with Tab of the tile that had the focus last", () => {
  const { card, rename, reached } = scene();
  const frame = card("file").firstChild;
  card("photo").firstChild?.focus();
  page.activeElement = null;
  rename();
  assert.equal(page.activeElement, null);
  assert.deepEqual(reached(), [frame]);
});

for (const id of ["file", "other"]) {
  test(`the tile of a file takes no focus from another one: ${id}`, () => {
    const { card, rename, reached } = scene();
    const frame = card(id).firstChild;
    frame?.focus();
    rename();
    assert.ok(frame && page.activeElement === frame);
    assert.deepEqual(reached(), [frame]);
  });
}

test("photos that leave together are laid out once", () => {
  const { timeline, sections } = scene();
  sections.append("2026-11", ["third"], null);
  let placed = 0;
  sections.aspect = () => (placed += 1);
  timeline.keepPlace(() => ["photo", "other"].forEach((id) => sections.remove(id)));
  assert.equal(placed, 1);
});
