// The kinds of files that are not accepted, which the server keeps.

/** @type {Promise<import("../model/sniff.js").Foreign[]> | null} */
let coming = null;

/** Load their table, once. Without it a refused file has no name for its kind, and is refused all the same. */
export async function foreignFormats() {
  coming ??= fetch(new URL("../../foreign_formats.json", import.meta.url)).then((answer) => answer.json());
  try {
    return await coming;
  } catch {
    coming = null;
    return [];
  }
}
