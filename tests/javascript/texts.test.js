import assert from "node:assert/strict";
import { test } from "node:test";

import { FILTERS } from "../../web/static/js/core/router.js";
import { LABELS, refusedFilter } from "../../web/static/js/model/filters.js";
import { fileSize } from "../../web/static/js/model/size.js";
import { moment } from "../../web/static/js/model/times.js";

test("every filter of the address has a name for people", () => {
  assert.deepEqual(Object.keys(LABELS).sort(), [...FILTERS].sort());
});

test("a refused filter is named as its field, not as its parameter", () => {
  const query = new URLSearchParams("q=cat&taken_from=soon&tag=x");
  const refused = (code, message) => refusedFilter({ code, message }, query);
  assert.deepEqual(refused("taken_from", "taken_from must be a date: YYYY, YYYY-MM or YYYY-MM-DD."), {
    name: "taken_from", sentence: "The filter “Taken from” must be a date: YYYY, YYYY-MM or YYYY-MM-DD.",
  });
  assert.equal(refused("tag", "A tag has no commas.").sentence, "Tag: A tag has no commas.");
});

test("other failures are no fault of a filter", () => {
  const query = new URLSearchParams("q=cat");
  assert.equal(refusedFilter({ code: "network", message: "The gallery cannot be reached at the moment." }, query), null);
  assert.equal(refusedFilter({ code: "month", message: "month must be written as YYYY-MM." }, query), null);
});

test("small files have no 0.0 MiB", () => {
  const sizes = [1, 512, 1024, 340 * 1024, 1.2 * 2 ** 20, 1500 * 2 ** 20, 2 ** 40, 2048.5 * 2 ** 40];
  const texts = ["1 byte", "512 bytes", "1 KiB", "340 KiB", "1.2 MiB", "1.5 GiB", "1 TiB", "2,048.5 TiB"];
  assert.deepEqual(sizes.map((size) => fileSize(size)), texts);
  assert.deepEqual([fileSize(2560), fileSize(1_310_720)], ["3 KiB", "1.3 MiB"]); // as the server
  const limit = 20 * 2 ** 20;
  assert.notEqual(fileSize(limit + 1, Math.ceil), fileSize(limit, Math.floor)); // a file is never as large as its limit
});

test("times are written as the server writes them", () => {
  assert.equal(moment("2026-11-21T09:05:00"), "21 November 2026, 09:05");
  assert.equal(moment("2026-03-01T00:00:00"), "1 March 2026, 00:00");
});
