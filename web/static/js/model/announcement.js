// What is announced to screen readers. Pure.

/** The longest announcement, in characters. */
const LONGEST = 150;

/**
 * One announcement of what has happened since the last.
 * @param {string[]} sentences
 */
export function announcement(sentences) {
  const all = [...new Set(sentences)].join(" ");
  if (all.length <= LONGEST) return all;
  const cut = all.slice(0, LONGEST - 1);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(" "), LONGEST / 2))}…`;
}
