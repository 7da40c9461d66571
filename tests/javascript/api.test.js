import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { ask, onSignedOut } from "../../web/static/js/core/api.js";

const busy = () => new Response('{"code": "busy", "detail": "Too many searches."}', { status: 429, headers: { "Retry-After": "0.01" } });
const right = () => new Response('{"total": 3}');
const real = globalThis.fetch;

/** Answer the questions with these, in turn. @param {(() => Response)[]} answers */
function answering(...answers) {
  const asked = { count: 0 };
  globalThis.fetch = async () => {
    const answer = answers[Math.min(asked.count, answers.length - 1)];
    asked.count += 1;
    return answer();
  };
  return asked;
}

afterEach(() => {
  globalThis.fetch = real;
});

test("a question that a busy gallery has put off is asked again", async () => {
  const asked = answering(busy, busy, right);
  assert.deepEqual(await ask("GET", "/api/v1/timeline?q=cat"), { total: 3 });
  assert.equal(asked.count, 3);
});

test("a gallery that stays busy is said to be so", async () => {
  const asked = answering(busy);
  await assert.rejects(ask("GET", "/api/v1/timeline?q=cat"), { code: "busy", message: "Too many searches." });
  assert.equal(asked.count, 3);
});

test("a change is sent once", async () => {
  const asked = answering(busy, right);
  await assert.rejects(ask("POST", "/api/v1/images/retry", { body: {} }), { status: 429 });
  assert.equal(asked.count, 1);
});

test("a question is not asked again where the gallery is away, is busy for longer, or names no time", async () => {
  for (const [code, headers] of [["unavailable", { "Retry-After": "0.01" }], ["busy", { "Retry-After": "30" }], ["busy", {}]]) {
    const asked = answering(() => new Response(JSON.stringify({ code }), { status: 503, headers }));
    await assert.rejects(ask("GET", "/api/v1/changes"), { status: 503 });
    assert.equal(asked.count, 1);
  }
});

test("an abandoned question is not asked again", async () => {
  const [asked, given] = [answering(busy), new AbortController()];
  const answer = ask("GET", "/api/v1/timeline?q=cat", { signal: given.signal });
  setTimeout(() => given.abort(), 2);
  await assert.rejects(answer, { name: "AbortError" });
  assert.ok(asked.count <= 2);
});

test("a page of another account than the session's learns it, and is not signed out", async () => {
  const refusal = () => new Response('{"code": "other_account", "detail": "bob is signed in now."}', { status: 403 });
  /** @type {[boolean, string][]} */
  const ended = [];
  onSignedOut(({ status, message, signedOut }) => ended.push([signedOut && status !== 401, message]));
  answering(refusal);
  await assert.rejects(ask("GET", "/api/v1/changes"), { code: "other_account", passing: false });
  answering(() => new Response('{"code": "unauthorized", "detail": "Send a key."}', { status: 401 }));
  await assert.rejects(ask("GET", "/api/v1/changes"), { status: 401 });
  assert.deepEqual(ended, [[true, "bob is signed in now."], [false, "You are signed out."]]);
});
