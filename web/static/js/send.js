// Upload one file to the bucket with its presigned form (Amazon S3 API, "POST Object").

import { limits } from "./limits.js";

const SENTENCES = {
  EntityTooLarge: "The file is larger than declared, so the storage refused it.",
  EntityTooSmall: "The file is smaller than declared, so the storage refused it.",
  ExpiredToken: "The upload form of this file has expired.",
};
const PASSING = new Set(["InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown", "RequestTimeTooSkewed"]);
const STALE = new Set(["AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidPolicyDocument"]);

// passing: the same request may succeed later. stale: a new form may succeed.
export class SendError extends Error {
  constructor(sentence, { passing = false, stale = false } = {}) {
    super(sentence);
    this.passing = passing;
    this.stale = stale;
  }
}

// Resolves once the bucket has the file. onProgress(sent, total) in bytes. Rejects with a SendError or an AbortError.
export function send(form, file, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
    body.append("file", file);
    const request = new XMLHttpRequest();
    let stall = null;
    const alive = () => {
      clearTimeout(stall);
      stall = setTimeout(() => request.abort(), limits.upload_stall_ms);
    };
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    request.upload.addEventListener("progress", (event) => {
      alive();
      onProgress(event.loaded, event.total);
    });
    request.addEventListener("loadend", () => {
      clearTimeout(stall);
      signal.removeEventListener("abort", abort);
      if (signal.aborted) reject(new DOMException("Cancelled", "AbortError"));
      else if (request.status >= 200 && request.status < 300) resolve();
      else reject(refusal(request.status, request.responseText));
    });
    request.open("POST", form.url);
    alive();
    request.send(body);
  });
}

// Map the error code of S3's XML response to a sentence for people.
function refusal(status, xml) {
  if (status === 0) return new SendError("The connection was lost during the upload.", { passing: true });
  const code = /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(xml)?.[1] ?? String(status);
  return new SendError(SENTENCES[code] ?? `The storage refused the file (${code}).`, {
    passing: PASSING.has(code) || status >= 500,
    stale: STALE.has(code),
  });
}
