// The sentences about uploads: how far they are, how long they will take, what was not accepted. Pure.

/**
 * @typedef {object} Progress
 * @property {number} total files that were accepted
 * @property {number} uploaded
 * @property {number} described those that are settled
 * @property {number} waiting those that a person has to look at
 * @property {number} failed settled ones that have no description
 * @property {number} [before] those that had arrived before a reload
 * @property {number} [here] settled ones that were uploaded by this page
 * @property {number} elapsed milliseconds since the first was added
 * @property {boolean} [late] whether nothing has been finished for long
 */

/**
 * @param {Progress} progress
 * @returns {string}
 */
export function summary({ total, uploaded, described, waiting, failed, before = 0, here = described, elapsed, late = false }) {
  if (total === 0) return "";
  if (described === total && failed > 0) return `${total - failed} of ${total} described · ${failed} failed`;
  if (described === total) return total === 1 ? "1 photo described" : `All ${total} photos described`;
  if (waiting > 0 && described + waiting >= total) {
    return `${described} of ${total} described · ${waiting} could not be finished`;
  }
  const left = here > 0 ? timeLeft((elapsed / here) * (total - described)) : "";
  if (before > 0 && uploaded < total && !late) return `${total - uploaded} of ${total} left`; // a page that continues
  const start = described === 0 ? `Uploaded ${uploaded} of ${total}` : `Described ${described} of ${total}`;
  if (late) return `${start} · This takes longer than usual. It continues automatically.`;
  return left ? `${start} · ${left}` : start;
}

/** @param {number} milliseconds */
export function timeLeft(milliseconds) {
  const minutes = milliseconds / 60_000;
  if (minutes < 1) return "less than a minute left";
  if (minutes < 90) return `about ${Math.round(minutes)} min left`;
  return `about ${Math.round(minutes / 60)} h left`;
}

/**
 * @typedef {object} Refused
 * @property {string} name of the file
 * @property {string} reason a sentence
 */

/**
 * Group refused files by their reason, the most frequent first.
 * @param {Refused[]} refused
 * @returns {{reason: string, names: string[], text: string}[]}
 */
export function grouped(refused) {
  /** @type {Map<string, string[]>} */
  const reasons = new Map();
  for (const { name, reason } of refused) {
    const names = reasons.get(reason);
    if (names) names.push(name);
    else reasons.set(reason, [name]);
  }
  return [...reasons]
    .map(([reason, names]) => ({ reason, names, text: `${files(names.length)}${endings(names)}: ${reason}` }))
    .sort((one, other) => other.names.length - one.names.length);
}

/** @param {number} count */
export const files = (count) => (count === 1 ? "1 file" : `${count} files`);

/** @param {string[]} names */
function endings(names) {
  if (names.length === 1) return ` (${names[0]})`;
  const found = [...new Set(names.map((name) => /\.[a-z0-9]{1,5}$/i.exec(name)?.[0].toLowerCase() ?? ""))].filter(Boolean);
  if (found.length === 0) return "";
  return ` (${found.slice(0, 4).join(", ")}${found.length > 4 ? ", …" : ""})`;
}
