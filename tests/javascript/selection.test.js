import assert from "node:assert/strict";
import { test } from "node:test";

import { chunks, merged, sizeOf, undoCalls } from "../../web/static/js/model/bulk.js";
import { Selection } from "../../web/static/js/model/selection.js";

const ORDER = ["a", "b", "c", "d", "e", "f"];

test("a photo is selected and taken out again", () => {
  const selection = new Selection();
  selection.toggle("b");
  selection.toggle("d");
  assert.deepEqual([selection.wanted.ids, selection.size, selection.has("d")], [["b", "d"], 2, true]);
  selection.toggle("b");
  assert.deepEqual(selection.wanted.ids, ["d"]);
});

test("a range extends from the photo that was selected last, in both directions", () => {
  for (const [to, expected] of [["e", ["c", "d", "e"]], ["a", ["a", "b", "c"]], ["c", ["c"]]]) {
    const selection = new Selection();
    selection.toggle("c");
    selection.extend(to, ORDER);
    assert.deepEqual(selection.wanted.ids.sort(), expected);
  }
});

test("a second extension replaces the first, and nothing that was selected before", () => {
  const selection = new Selection();
  selection.toggle("e");
  selection.toggle("b");
  selection.extend("f", ORDER);
  assert.deepEqual(selection.wanted.ids.sort(), ["b", "c", "d", "e", "f"]);
  selection.extend("c", ORDER);
  assert.deepEqual(selection.wanted.ids.sort(), ["b", "c", "e"]);
});

test("without an anchor in the list only the photo itself is selected", () => {
  const selection = new Selection();
  selection.extend("c", ORDER);
  assert.deepEqual(selection.wanted.ids, ["c"]);
  selection.keep((id) => id !== "c");
  selection.extend("e", ORDER);
  assert.deepEqual(selection.wanted.ids, ["e"]);
  selection.extend("elsewhere", ORDER);
  assert.deepEqual(selection.wanted.ids, ["e"]);
});

test("what leaves the list is not selected any more", () => {
  const selection = new Selection();
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
  const selection = new Selection();
  selection.toggle("a");
  selection.selectList("tag=cat", 5000);
  assert.deepEqual([selection.size, selection.has("a"), selection.has("not loaded"), selection.list], [5000, true, true, "tag=cat"]);
  selection.toggle("b");
  selection.toggle("c");
  selection.toggle("c");
  assert.deepEqual([selection.size, selection.has("b"), selection.has("c")], [4999, false, true]);
  assert.deepEqual(selection.wanted, { query: "tag=cat", total: 5000, except: ["b"] });
  assert.equal(sizeOf(selection.wanted), 4999);
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
