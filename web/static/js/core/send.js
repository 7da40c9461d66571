// Upload one file to the bucket with its presigned form (Amazon S3 API, "POST Object").

import { limits } from "./limits.js";

/** @typedef {{url: string, fields: Record<string, string>}} Form */

/** @type {Record<string, string>} */
const SENTENCES = {
  EntityTooLarge: "The file is larger than declared, so the storage refused it.",
  EntityTooSmall: "The file is smaller than declared, so the storage refused it.",
  ExpiredToken: "The upload form of this file has expired.",
};
const PASSING = new Set(["InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown", "RequestTimeTooSkewed"]);
const STALE = new Set(["AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidPolicyDocument"]);

export class SendError extends Error {
  /**
   * @param {string} sentence
   * @param {{passing?: boolean, stale?: boolean}} [options] passing: the same request may succeed later. stale: a new form may.
   */
  constructor(sentence, { passing = false, stale = false } = {}) {
    super(sentence);
    this.passing = passing;
    this.stale = stale;
  }
}

/**
 * Resolves once the bucket has the file. Rejects with a SendError or an AbortError.
 * @param {Form} form
 * @param {File} file
 * @param {{onProgress: (part: number) => void, signal: AbortSignal}} options
 * @returns {Promise<void>}
 */
export function send(form, file, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
    body.append("file", file);
    const request = new XMLHttpRequest();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let stall;
    const alive = () => {
      clearTimeout(stall);
      stall = setTimeout(() => request.abort(), limits.upload_stall_ms);
    };
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    request.upload.addEventListener("progress", (event) => {
      alive();
      onProgress(Math.min(1, event.loaded / event.total));
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

/**
 * Map the error code of S3's XML response to a sentence for people.
 * @param {number} status
 * @param {string} xml
 */
function refusal(status, xml) {
  if (status === 0) return new SendError("The connection was lost during the upload.", { passing: true });
  const code = /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(xml)?.[1] ?? String(status);
  return new SendError(SENTENCES[code] ?? `The storage refused the file (${code}).`, {
    passing: PASSING.has(code) || status >= 500,
    stale: STALE.has(code),
  });
}
