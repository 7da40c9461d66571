// The limits and intervals of ../../limits.json, which the server puts into every page.

/**
 * @typedef {object} Limits
 * @property {number} first_poll_ms
 * @property {number} slowest_poll_ms
 * @property {number} late_after_ms
 * @property {number} parallel_uploads
 * @property {number[]} upload_retries_ms
 * @property {number} longest_upload_retry_ms
 * @property {number} upload_stall_ms
 * @property {number} part_bytes of a file that is sent in parts
 * @property {number} max_ids
 * @property {number} page_size
 * @property {number} max_tags
 * @property {number} caption_length
 * @property {number} alt_text_length
 * @property {number} tag_length
 * @property {number} trash_days
 */

/** @type {Readonly<Limits>} */
export const limits = Object.freeze(JSON.parse(document.body.dataset.limits ?? "{}"));
