import assert from "node:assert/strict";
import { test } from "node:test";

import { HEADING, Sections } from "../../web/static/js/model/sections.js";

const numbered = (count, prefix) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

function filled() {
  const sections = new Sections(() => 1.5);
  sections.set([{ key: "2026-11", count: 30 }, { key: "2026-10", count: 10 }, { key: "2024-02", count: 1000 }]);
  sections.append("2026-11", numbered(30, "n"), null);
  sections.append("2026-10", numbered(10, "o"), null);
  return sections;
}

test("sections follow each other without gaps in their order", () => {
  const sections = filled();
  const [first, second] = sections.list;
  assert.ok(second.top > first.top + first.height);
  assert.equal(sections.total, 1040);
});

test("upper bounds become counts once all photos are loaded", () => {
  const sections = filled();
  assert.equal(sections.exact, true);
  sections.counted = false;
  assert.equal(sections.exact, false);
  sections.append("2024-02", numbered(12, "p"), null);
  assert.deepEqual([sections.exact, sections.total], [true, 52]);
});

test("a section that is not loaded has an estimated height, and is asked for when it is seen", () => {
  const sections = filled();
  const last = sections.list[2];
  assert.ok(last.height > 1000);
  assert.ok(sections.lacks(last, last.top + HEADING + 1));
  assert.ok(!sections.lacks(sections.list[0], 1e9));
});

test("loading a month moves only what is below it", () => {
  const sections = filled();
  const before = sections.topOf("o5");
  sections.append("2024-02", numbered(500, "f"), "500");
  assert.equal(sections.topOf("o5"), before);
  assert.equal(sections.get("2024-02").count, 1000);
  assert.ok(sections.lacks(sections.get("2024-02"), 1e9));
});

test("photos in the window and those beside it are separate, each in their order", () => {
  const sections = filled();
  const row = sections.list[0].boxes[6];
  const top = HEADING + row.y;
  const { inside, beside } = sections.nearest(sections.visible(0, sections.height), top, top + row.height);
  assert.deepEqual(inside, sections.list[0].ids.filter((id) => sections.topOf(id) === top));
  assert.deepEqual(beside, sections.ids.filter((id) => !inside.includes(id)));
});

test("a page that names a photo twice lists it once", () => {
  const sections = filled();
  sections.append("2024-02", ["f1", "f1", "n3"], "3");
  assert.deepEqual(sections.get("2024-02").ids, ["f1"]);
});

test("a photo is inserted in front of the first that follows it, also into a month that did not exist", () => {
  const sections = filled();
  sections.insert("2026-11", "new", (other) => other === "n0");
  assert.equal(sections.get("2026-11").ids[0], "new");
  sections.insert("2025-06", "old", () => false);
  assert.deepEqual(sections.list.map((section) => section.key), ["2026-11", "2026-10", "2025-06", "2024-02"]);
  assert.deepEqual(sections.position("old"), { index: 41, total: 1042 });
});

test("a photo of a page that is not loaded does not change the count, which the server knows", () => {
  const sections = filled();
  sections.append("2024-02", numbered(500, "f"), "500");
  sections.set([...sections.list, { key: "2023-01", count: 5 }]);
  assert.equal(sections.insert("2023-01", "unloaded", () => true), false);
  assert.equal(sections.insert("2024-02", "later", () => false), false);
  assert.equal(sections.total, 1045);
  sections.recount([{ key: "2024-02", count: 1001 }, { key: "2023-01", count: 6 }, { key: "2026-11", count: 7 }]);
  assert.equal(sections.total, 30 + 10 + 1001 + 6);
  sections.recount([{ key: "2024-02", count: 1001 }]);
  assert.equal(sections.get("2023-01"), undefined);
});

test("the last photo of a month takes its heading away", () => {
  const sections = filled();
  for (const id of numbered(10, "o")) sections.remove(id);
  assert.equal(sections.get("2026-10"), undefined);
  assert.equal(sections.neighbour("n29", "right"), null); // the next month is not loaded yet
});

test("any number of changes lay a month out once", () => {
  const sections = filled();
  let asked = 0;
  sections.aspect = () => {
    asked += 1;
    return 1.5;
  };
  sections.change(() => numbered(20, "n").forEach((id) => sections.remove(id)));
  assert.deepEqual([asked, sections.get("2026-11").boxes.length], [10, 10]);
});

test("keys do not pass photos that are not loaded yet", () => {
  const sections = new Sections(() => 1.5);
  sections.set([{ key: "2026-11", count: 40 }, { key: "2026-10", count: 20 }, { key: "2026-09", count: 5 }]);
  sections.append("2026-11", numbered(30, "n"), "30");
  sections.append("2026-09", numbered(5, "s"), null);
  for (const direction of ["right", "down"]) assert.equal(sections.neighbour("n29", direction), null);
  for (const direction of ["left", "up"]) assert.equal(sections.neighbour("s0", direction), null);
  sections.append("2026-11", numbered(10, "m"), null);
  assert.equal(sections.neighbour("m9", "right"), null);
  sections.append("2026-10", numbered(10, "o"), "10");
  assert.equal(sections.neighbour("m9", "right"), "o0");
  assert.equal(sections.neighbour("s0", "left"), null);
});

test("keys move over the borders of months by geometry", () => {
  const sections = filled();
  assert.equal(sections.neighbour("n29", "right"), "o0");
  assert.equal(sections.neighbour("o0", "left"), "n29");
  assert.equal(sections.neighbour("n0", "up"), null);
  assert.equal(sections.neighbour("o3", "first"), "n0");
  const down = sections.neighbour("n29", "down");
  assert.ok(down.startsWith("o"));
  assert.equal(sections.neighbour(down, "up")[0], "n");
});

test("a photo keeps its place when it gets the id of the server", () => {
  const sections = filled();
  sections.rename("n4", "id");
  assert.equal(sections.get("2026-11").ids[4], "id");
  assert.equal(sections.place("n4"), null);
});

test("the section of new files has square tiles, whatever is known of them", () => {
  const sections = new Sections((id, key) => (key === "added" ? 1 : 3));
  sections.set([{ key: "added", count: 1 }]);
  sections.append("added", ["a"], null);
  const [box] = sections.list[0].boxes;
  sections.touch("a");
  sections.layOut();
  assert.deepEqual(sections.list[0].boxes, [box]);
  assert.equal(box.width, box.height);
});

test("a million photos in 300 months are placed quickly and exactly", () => {
  const sections = new Sections(() => 1.5);
  const months = numbered(300, "").map((index) => ({ key: `${2026 - Math.floor(index / 12)}-${String(12 - (index % 12)).padStart(2, "0")}`, count: 3333 }));
  const start = performance.now();
  sections.set(months);
  for (let top = 0; top < sections.height; top += sections.height / 500) sections.visible(top, top + 1000);
  assert.ok(performance.now() - start < 500);
  assert.equal(sections.total, 999_900);
});

test("what is not loaded between two photos is found, of the section of the last one down to that photo", () => {
  const sections = new Sections(() => 1);
  const months = ["2026-04", "2026-03", "2026-02", "2026-01"];
  sections.set(months.map((key) => ({ key, count: 4 })));
  sections.append("2026-04", ["a0", "a1"], "2");
  sections.append("2026-01", ["d0", "d1"], "2");
  const [first, last] = [{ id: "a0", key: "2026-04" }, { id: "d1", key: "2026-01" }];
  const unloaded = (/** @type {{id: string, key: string}[]} */ ...ends) => sections.unloaded(ends)?.key;
  assert.deepEqual(unloaded(first, { id: "a1", key: "2026-04" }), undefined);
  assert.deepEqual(unloaded(first, { id: "a3", key: "2026-04" }), "2026-04");
  assert.deepEqual(unloaded(first, { id: "z", key: "2025-01" }), undefined);
  for (const key of months.slice(0, 3)) {
    assert.deepEqual([unloaded(first, last), unloaded(last, first)], [key, key]);
    sections.append(key, [`${key}-2`, `${key}-3`], null);
  }
  assert.deepEqual(unloaded(last, first), undefined);
  assert.deepEqual(unloaded({ id: "d3", key: "2026-01" }, first), "2026-01");
});
