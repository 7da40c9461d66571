import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Problem } from "../../web/static/js/core/api.js";
import { reportErrors } from "../../web/static/js/core/guard.js";
import { Pages } from "../../web/static/js/core/pages.js";
import { Sections } from "../../web/static/js/model/sections.js";

/** @type {Error[]} */
let said = [];

beforeEach(() => {
  said = [];
  reportErrors((error) => said.push(error));
  mock.timers.enable({ apis: ["setTimeout"] });
});

afterEach(() => mock.timers.reset());

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A month of 1,000 photos, and what loads pages of it. @param {(page: number) => void} answer */
function month(answer) {
  const sections = new Sections(() => 1.5);
  sections.set([{ key: "2026-11", count: 1000 }]);
  let asked = 0;
  const pages = new Pages(sections, async (section) => {
    asked += 1;
    answer(asked);
    const ids = Array.from({ length: 500 }, (_, at) => `n${section.ids.length + at}`);
    sections.append("2026-11", ids, section.ids.length + 500 < 1000 ? String(section.ids.length + 500) : null);
  }, () => pages.fill(0, sections.height));
  return { sections, pages, count: () => asked };
}

test("a place deep in a month is loaded page after page", async () => {
  const { sections, pages, count } = month(() => {});
  pages.fill(0, sections.height);
  pages.fill(0, sections.height);
  await settled();
  assert.equal(sections.ids.length, 1000);
  assert.equal(count(), 2);
});

test("a page that cannot be loaded is asked for again until it comes, and said to be missing once", async () => {
  const { sections, pages, count } = month((page) => {
    if (page < 4) throw new Problem(0, "network", "The gallery cannot be reached at the moment.");
  });
  pages.fill(0, sections.height);
  await settled();
  for (let wait = 0; wait < 3; wait += 1) {
    pages.fill(0, sections.height); // somebody scrolls
    await settled();
    assert.equal(count(), wait + 1);
    mock.timers.tick(5000);
    await settled();
  }
  assert.equal(sections.ids.length, 1000);
  assert.deepEqual(said.map((error) => error.message), ["The gallery cannot be reached at the moment."]);
});

test("a page that the gallery refuses is not asked for again", async () => {
  const { sections, pages, count } = month(() => {
    throw new Problem(422, "invalid", "There is no such filter.");
  });
  pages.fill(0, sections.height);
  await settled();
  mock.timers.tick(60_000);
  await settled();
  assert.equal(count(), 1);
  assert.equal(said.length, 1);
});

test("all of a section is loaded once, however often it is asked for", async () => {
  const { sections, pages, count } = month(() => {});
  const [section] = sections.list;
  pages.fill(0, 100);
  await Promise.all([pages.whole(section), pages.whole(section), pages.whole(section)]);
  assert.equal(section.ids.length, 1000);
  assert.equal(count(), 2);
});

test("a section that cannot be loaded to its end is left as it is", async () => {
  const { sections, pages, count } = month((page) => {
    if (page > 1) throw new Problem(0, "network", "The gallery cannot be reached at the moment.");
  });
  const [section] = sections.list;
  await pages.whole(section).catch(() => {}); // which of the two that ask for the page hears of it does not matter
  await pages.whole(section).catch(() => {});
  assert.equal(section.ids.length, 500);
  assert.ok(count() <= 4);
});

test("a section is loaded to its end also where a page of a search has no photos", async () => {
  const sections = new Sections(() => 1.5);
  sections.set([{ key: "2026-11", count: 1000 }]);
  const answers = [[[], "a"], [["n0"], "b"], [[], "c"], [["n1"], null]];
  const pages = new Pages(sections, async () => {
    const [ids, next] = answers.shift();
    sections.append("2026-11", ids, next);
  }, () => {});
  await pages.whole(sections.list[0]);
  assert.deepEqual(sections.ids, ["n0", "n1"]);
});

test("what lacks is loaded section after section, and an outage that is said already is said to who asked", async () => {
  let away = false;
  const { sections, pages, count } = month(() => {
    if (away) throw new Problem(0, "network", "The gallery cannot be reached at the moment.");
  });
  const lacking = () => sections.list.find((section) => section.next !== null);
  away = true;
  pages.fill(0, sections.height);
  await settled();
  await assert.rejects(pages.each(lacking), /cannot be reached/);
  away = false;
  await pages.each(lacking);
  assert.equal(sections.ids.length, 1000);
  assert.equal(count(), 4);
});
