// Client of the gallery's JSON API. Every failure is an Error with a sentence for people.

export class Problem extends Error {
  constructor(status, code, detail, retryAfter = null) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter; // seconds
  }
}

// Resolves to the response's JSON (null for 204). Rejects with a Problem or an AbortError.
export async function ask(method, path, { body, signal } = {}) {
  const options = { method, signal, cache: "no-cache", headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "network", "The gallery cannot be reached at the moment.");
  }
  if (answer.status === 204) return null;
  let value = null;
  try {
    value = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
  }
  if (answer.ok && value !== null) return value;
  if (answer.status === 401) {
    // The session has ended, or was ended from another browser
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  const wait = Number(answer.headers.get("Retry-After")) || null;
  throw new Problem(answer.status, value?.code ?? "http", value?.detail ?? `The gallery answered ${answer.status}.`, wait);
}
