// Upload a file to the bucket with its presigned form, or a part of one (Amazon S3 API, "POST Object", "UploadPart").

import { limits } from "./limits.js";

/** @typedef {{url: string, fields: Record<string, string>}} Form */

/** @type {Record<string, string>} */
const SENTENCES = {
  EntityTooLarge: "The file is larger than declared, so the storage refused it.",
  EntityTooSmall: "The file is smaller than declared, so the storage refused it.",
  BadDigest: "A part of the file was changed on its way.",
  ExpiredToken: "The upload form of this file has expired.",
};
const PASSING = new Set(["BadDigest", "InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown", "RequestTimeTooSkewed"]);
const STALE = new Set(["AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidPolicyDocument", "NoSuchUpload"]);

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

/** @typedef {{onProgress: (part: number) => void, signal: AbortSignal}} Options onProgress: called with 0 to 1 */

/**
 * Resolves once the bucket has the file. Rejects with a SendError or an AbortError.
 * @param {Form} form
 * @param {File} file
 * @param {Options} options
 * @returns {Promise<void>}
 */
export function send(form, file, options) {
  const body = new FormData();
  for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
  body.append("file", file);
  return transfer("POST", form.url, {}, body, options);
}

/**
 * Resolves once the bucket has a part of the file, which was presigned. Rejects like `send`.
 * @param {import("../model/parts.js").PartRequest} request
 * @param {Blob} part
 * @param {Options} options
 * @returns {Promise<void>}
 */
export const sendPart = ({ url, headers }, part, options) => transfer("PUT", url, headers, part, options);

/**
 * @param {string} method
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {FormData | Blob} body
 * @param {Options} options
 * @returns {Promise<void>}
 */
function transfer(method, url, headers, body, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
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
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
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
