// The filters of a list: their names for people, and which of them the server has refused. Pure.

/** @type {Record<string, string>} */
export const LABELS = {
  q: "Words", month: "Month", taken_from: "Taken from", taken_to: "Taken until", uploaded_from: "Uploaded from",
  uploaded_to: "Uploaded until", tag: "Tag", camera: "Camera", source: "Described by", status: "State", type: "Type",
  orientation: "Shape", owner: "Owner", album: "Album", similar: "Similar to", sort: "Order",
};

/**
 * The filter that a search failed for, with a sentence that names its field; null if it failed for another reason.
 * @param {{code: string, message: string}} problem its code is the name of the refused parameter
 * @param {URLSearchParams} query
 */
export function refusedFilter({ code, message }, query) {
  const label = LABELS[code];
  if (!label || !query.has(code)) return null;
  const rest = message.startsWith(`${code} `) ? message.slice(code.length + 1) : message;
  const sentence = rest === message ? `${label}: ${message}` : `The filter “${label}” ${rest}`;
  return { name: code, sentence };
}
