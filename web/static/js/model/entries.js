// The files of a dropped folder. Pure: it needs the interface of FileSystemEntry only.

/** @typedef {{files: File[], unreadable: string[]}} Collected */

/**
 * Resolves to all files below entries, except those whose names start with a dot, and to the paths that cannot be read.
 * @param {FileSystemEntry[]} entries
 * @returns {Promise<Collected>}
 */
export async function collect(entries) {
  const parts = await Promise.all(entries.map(walk));
  return { files: parts.flatMap((part) => part.files), unreadable: parts.flatMap((part) => part.unreadable) };
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<Collected>}
 */
async function walk(entry) {
  if (entry.name.startsWith(".")) return { files: [], unreadable: [] };
  try {
    if (entry.isFile) return { files: [await fileOf(/** @type {FileSystemFileEntry} */ (entry))], unreadable: [] };
    return await collect(await children(/** @type {FileSystemDirectoryEntry} */ (entry)));
  } catch {
    return { files: [], unreadable: [entry.fullPath.replace(/^\//, "")] };
  }
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

/** @param {FileSystemDirectoryEntry} entry @returns {Promise<FileSystemEntry[]>} */
async function children(entry) {
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // at most 100
    if (some.length === 0) return found;
    found.push(...some);
  }
}
