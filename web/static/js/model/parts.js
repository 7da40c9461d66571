// The order in which the parts of a file are sent. Pure: requests and transfers are functions that it is given.

/**
 * @typedef {object} Plan
 * @property {number} size bytes of each part but the last
 * @property {number} count
 * @property {{number: number, sha256: string}[]} received
 */
/** @typedef {{number: number, url: string, headers: Record<string, string>}} PartRequest */
/**
 * @typedef {object} Options
 * @property {(first: number, hashes: string[]) => Promise<PartRequest[]>} request
 * @property {(request: PartRequest, start: number, end: number) => Promise<void>} put sends these bytes of the file
 * @property {(number: number) => void} onPart a part has arrived
 */

const AHEAD = 20; // parts that are requested at once

/**
 * The numbers of the parts that have arrived as they are in the file.
 * @param {Plan} plan
 * @param {string[]} hashes
 */
export const arrived = (plan, hashes) => new Set(plan.received.filter(({ number, sha256 }) => hashes[number - 1] === sha256).map(({ number }) => number));

/**
 * Send the parts that are missing, one after another: a lost connection costs at most one of them.
 * @param {Plan} plan
 * @param {string[]} hashes of all parts
 * @param {Set<number>} done numbers of the parts that have arrived; it grows
 * @param {Options} options
 */
export async function sendParts(plan, hashes, done, { request, put, onPart }) {
  /** @type {Map<number, PartRequest>} */
  const ready = new Map();
  for (let number = 1; number <= plan.count; number += 1) {
    if (done.has(number)) continue;
    if (!ready.has(number)) {
      const asked = await request(number, hashes.slice(number - 1, Math.min(number - 1 + AHEAD, plan.count)));
      for (const each of asked) ready.set(each.number, each);
    }
    const found = ready.get(number);
    if (!found) throw new Error("The gallery did not answer for a part of the file.");
    await put(found, (number - 1) * plan.size, number * plan.size);
    done.add(number);
    onPart(number);
  }
}
