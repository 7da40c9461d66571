import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

const real = globalThis.fetch;

/** The actions of the forms that were sent. @type {string[]} */
const submitted = [];
/** @type {string[]} */
const asked = [];

const made = () => ({
  action: "", dataset: {},
  append() {}, remove() {}, setAttribute() {},
  submit() {
    submitted.push(this.action);
  },
});
Object.assign(globalThis, {
  document: { documentElement: { lang: "en" }, createElement: made, body: made() },
  HTMLElement: class {}, location: { assign() {} }, FormData: class extends Map {},
});
const { onSignedOut } = await import("../../web/static/js/core/api.js");
const { run } = await import("../../web/static/js/view/selectactions.js");

afterEach(() => {
  globalThis.fetch = real;
});

for (const [name, action] of [["share", "/shared/new"], ["download", "/download"]]) {
  test(`"${name}" sends its form only where the session has not ended`, async () => {
    let status = 401;
    let ended = 0;
    onSignedOut(() => {
      ended += 1;
    });
    globalThis.fetch = async (path) => {
      asked.push(String(path));
      return Response.json({}, { status });
    };
    submitted.length = 0;
    const given = /** @type {any} */ ({ form: null, bulk: null });
    const share = async () => run(String(name), { ids: ["a"] }, given);
    await assert.rejects(share, { message: "You are signed out." });
    assert.deepEqual([ended, submitted], [1, []]);
    status = 200;
    await share();
    assert.deepEqual([ended, submitted], [1, [action]]);
  });
}
