import assert from "node:assert/strict";
import { test } from "node:test";

import { announcement } from "../../web/static/js/model/announcement.js";
import { grouped, summary, timeLeft } from "../../web/static/js/model/batch.js";

const progress = (values) => ({ total: 60, uploaded: 0, described: 0, waiting: 0, failed: 0, elapsed: 0, ...values });

test("the line counts what is uploaded, then what is described, with the time left", () => {
  assert.equal(summary(progress({ uploaded: 7 })), "Uploaded 7 of 60");
  assert.equal(summary(progress({ uploaded: 60, described: 23, elapsed: 90_000 })), "Described 23 of 60 · about 2 min left");
  assert.equal(summary(progress({ uploaded: 48, described: 20, before: 40, here: 0 })), "12 of 60 left");
  assert.equal(summary(progress({ uploaded: 60, described: 50, before: 40, here: 10, elapsed: 60_000 })), "Described 50 of 60 · about 1 min left");
  assert.equal(summary(progress({ uploaded: 60, described: 60 })), "All 60 photos described");
  assert.equal(summary(progress({ total: 0 })), "");
  assert.equal(
    summary(progress({ uploaded: 60, described: 23, late: true })),
    "Described 23 of 60 · This takes longer than usual. It continues automatically.",
  );
});

test("a photo that has failed is not said to be described", () => {
  assert.equal(summary(progress({ uploaded: 60, described: 60, failed: 2 })), "58 of 60 described · 2 failed");
  assert.equal(summary(progress({ total: 1, uploaded: 1, described: 1, failed: 1 })), "0 of 1 described · 1 failed");
});

test("what could not be finished is counted until it is tried again", () => {
  assert.equal(summary(progress({ uploaded: 58, described: 58, waiting: 2 })), "58 of 60 described · 2 could not be finished");
});

test("times are rounded to what people plan with", () => {
  assert.deepEqual([20_000, 119_000, 3_600_000, 7_200_000].map(timeLeft), [
    "less than a minute left", "about 2 min left", "about 60 min left", "about 2 h left",
  ]);
});

test("a thousand files that are not accepted make one row and a short sentence", () => {
  const refused = Array.from({ length: 1000 }, (_, index) => ({ name: `clip ${index}.${index % 3 ? "mov" : "xmp"}`, reason: "This is a video." }));
  refused.push({ name: "empty.jpg", reason: "This file is empty." });
  const rows = grouped(refused);
  assert.deepEqual(rows.map((row) => row.text), ["1000 files (.xmp, .mov): This is a video.", "1 file (empty.jpg): This file is empty."]);
  assert.equal(rows[0].names.length, 1000);
  assert.ok(announcement(refused.map(({ name, reason }) => `${name}: ${reason}`)).length <= 150);
});

test("an announcement ends at a word", () => {
  const text = announcement(["Described: a long sentence about a photo.".repeat(9)]);
  assert.ok(text.length <= 150 && text.endsWith("…"));
  assert.equal(announcement(["Saved.", "Saved."]), "Saved.");
});
