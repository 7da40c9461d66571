import assert from "node:assert/strict";
import { test } from "node:test";

const page = { activeElement: /** @type {unknown} */ (null), createElement: () => new Stub() };

/** As much of an element as a tile uses. */
class Stub {
  tabIndex = -1;
  src = "";
  removed = false;
  /** @type {unknown[]} */ children = [];

  /** @param {unknown[]} given */
  append(...given) {
    this.children.push(...given);
  }

  /** @param {unknown} other @returns {boolean} */
  contains(other) {
    return this === other || this.children.some((each) => each instanceof Stub && each.contains(other));
  }

  focus() {
    page.activeElement = this;
  }

  remove() {
    this.removed = true;
    if (this.contains(page.activeElement)) page.activeElement = null;
  }

  querySelectorAll() {
    return [];
  }

  removeAttribute() {}

  setAttribute() {}
}

Object.assign(globalThis, { document: page, HTMLElement: Stub });
Object.assign(page, { documentElement: { lang: "en" } });
const { Tile } = await import("../../web/static/js/view/tile.js");

test("a tile that takes the place of another one takes its focus and its turn with Tab", () => {
  for (const part of /** @type {const} */ (["frame", "pick"])) {
    const [tile, other] = [new Tile("file"), new Tile("photo")];
    other.reach(true);
    other[part].focus();
    tile.replace(other);
    assert.equal(page.activeElement, tile.frame);
    assert.equal(tile.frame.tabIndex, 0);
    assert.ok(/** @type {any} */ (other.element).removed);
  }
});

test("a tile that takes the place of another one takes no focus that is elsewhere, and keeps its own turn with Tab", () => {
  const [tile, other] = [new Tile("file"), new Tile("photo")];
  const elsewhere = new Stub();
  elsewhere.focus();
  tile.replace(other);
  assert.deepEqual([page.activeElement, tile.frame.tabIndex], [elsewhere, -1]);
  const last = new Tile("last");
  tile.reach(true);
  tile.replace(last);
  assert.equal(tile.frame.tabIndex, 0);
});
