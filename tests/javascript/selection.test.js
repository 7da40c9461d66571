import assert from "node:assert/strict";
import { test } from "node:test";

import { chunks, merged, sizeOf, undoCalls } from "../../web/static/js/model/bulk.js";
import { Selection } from "../../web/static/js/model/selection.js";

const NOON = "2026-11-28T12:00:00.000";
const ORDER = ["a", "b", "c", "d", "e", "f"];

test("a photo is selected and taken out again", () => {
  const selection = new Selection(() => NOON);
  selection.toggle("b");
  selection.toggle("d");
  assert.deepEqual([selection.wanted.ids, selection.size, selection.has("d")], [["b", "d"], 2, true]);
  selection.toggle("b");
  assert.deepEqual(selection.wanted.ids, ["d"]);
});

test("a range extends from the photo that was selected last, in both directions", () => {
  for (const [to, expected] of [["e", ["c", "d", "e"]], ["a", ["a", "b", "c"]], ["c", ["c"]]]) {
    const selection = new Selection(() => NOON);
    selection.toggle("c");
    selection.extend(to, ORDER);
    assert.deepEqual(selection.wanted.ids.sort(), expected);
  }
});

test("a second extension replaces the first, and nothing that was selected before", () => {
  const selection = new Selection(() => NOON);
  selection.toggle("e");
  selection.toggle("b");
  selection.extend("f", ORDER);
  assert.deepEqual(selection.wanted.ids.sort(), ["b", "c", "d", "e", "f"]);
  selection.extend("c", ORDER);
  assert.deepEqual(selection.wanted.ids.sort(), ["b", "c", "e"]);
});

test("without an anchor in the list only the photo itself is selected", () => {
  const selection = new Selection(() => NOON);
  selection.extend("c", ORDER);
  assert.deepEqual(selection.wanted.ids, ["c"]);
  selection.keep((id) => id !== "c");
  selection.extend("e", ORDER);
  assert.deepEqual(selection.wanted.ids, ["e"]);
  selection.extend("elsewhere", ORDER);
  assert.deepEqual(selection.wanted.ids, ["e"]);
});

test("what a person does to the selection counts as a change, what leaves the list does not", () => {
  const selection = new Selection(() => NOON);
  const counts = [
    () => selection.toggle("a"), () => selection.extend("c", ORDER), () => selection.add(["d"]),
    () => selection.keep(() => false), () => selection.clear(),
  ].map((act) => (act(), selection.changes));
  assert.deepEqual(counts.map((count, index) => count > (counts[index - 1] ?? 0)), [true, true, true, false, true]);
});

test("what leaves the list is not selected any more", () => {
  const selection = new Selection(() => NOON);
  selection.add(ORDER);
  selection.keep((id) => id < "c");
  assert.deepEqual(selection.wanted.ids, ["a", "b"]);
  selection.clear();
  assert.equal(selection.size, 0);
});

test("no request names more photos than the API takes", () => {
  const ids = Array.from({ length: 2500 }, (_, at) => String(at));
  assert.deepEqual(chunks(ids).map((part) => part.length), [1000, 1000, 500]);
  const calls = undoCalls([{ action: "restore", ids }, { action: "add_tags", tags: ["x"], ids: ["1"] }]);
  assert.deepEqual(calls.map((call) => call.map((step) => [step.action, step.ids.length])), [
    [["restore", 1000]], [["restore", 1000]], [["restore", 500]], [["add_tags", 1]],
  ]);
  assert.deepEqual(calls[3], [{ action: "add_tags", tags: ["x"], ids: ["1"] }]);
});

test("all of a list are selected but for those that are taken out again", () => {
  const selection = new Selection(() => NOON);
  selection.toggle("a");
  selection.selectList("tag=cat", 5000, NOON);
  assert.deepEqual([selection.size, selection.has("a"), selection.has("not loaded"), selection.list], [5000, true, true, "tag=cat"]);
  selection.toggle("b");
  selection.toggle("c");
  selection.toggle("c");
  assert.deepEqual([selection.size, selection.has("b"), selection.has("c")], [4999, false, true]);
  assert.deepEqual(selection.wanted, { query: `tag=cat&until=${encodeURIComponent(NOON)}`, total: 5000, exact: true, except: ["b"] });
  assert.equal(sizeOf(selection.wanted), 4999);
  assert.equal(selection.exact, true);
  selection.extend("a", ORDER); // from c: b is selected again
  assert.deepEqual(selection.wanted.except, []);
  selection.keep(() => false, "tag=cat", 4000);
  assert.equal(selection.size, 4000);
  selection.keep(() => true, "tag=dog", 10);
  assert.deepEqual([selection.size, selection.list, selection.wanted], [0, null, { ids: [] }]);
});

test("the summaries of several requests are one", () => {
  assert.equal(merged(["1,000 changed.", "5 changed, 1 is not yours."]), "1,005 changed, 1 is not yours.");
  assert.equal(merged(["Nothing was named."]), "Nothing was named.");
  assert.equal(merged([]), "");
});

test("a photo that arrives does not hide that a selected one has gone", () => {
  const times = new Map([["new", "2026-11-28T12:00:00.001"], ["a", NOON]]);
  const selection = new Selection((id) => times.get(id));
  selection.selectList("", 5000, NOON);
  selection.keep(() => true, "", 5001, ["new", "a"]);
  assert.equal(selection.size, 5000);
  selection.keep(() => true, "", 5000, ["new"]); // a has gone
  assert.equal(selection.size, 4999);
});

test("what comes into the list after all of it was selected is not selected", () => {
  const times = new Map([["a", NOON], ["x", "2026-11-28T12:00:00.001"]]);
  const selection = new Selection((id) => times.get(id));
  selection.selectList("", 5000, NOON);
  selection.keep(() => true, "", 5001);
  assert.deepEqual(["a", "x", "on its way"].map((id) => selection.has(id)), [true, false, false]);
  assert.equal(selection.size, 5000);
  assert.throws(() => selection.toggle("x"), /Select all again/);
  selection.extend("x", [...ORDER, "x"]);
  assert.deepEqual([selection.has("x"), selection.size], [false, 5000]);
  selection.keep(() => true, "", 4999); // several have gone
  assert.equal(selection.size, 4999);
  selection.selectList("", 5000, times.get("x"));
  assert.equal(selection.has("x"), true);
  selection.clear();
  selection.toggle("on its way");
  assert.deepEqual(selection.wanted.ids, ["on its way"]);
});

test("a list of which an upper bound is known is not counted as if it were exact", () => {
  const selection = new Selection(() => NOON);
  selection.selectList("q=boat", 5000, NOON, false);
  assert.deepEqual([selection.exact, selection.wanted.exact], [false, false]);
  selection.clear();
  assert.equal(selection.exact, true);
});
