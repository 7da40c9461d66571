// The uploads that are not finished, in the browser's storage (IndexedDB), so that a reload loses none.
//
// An upload belongs to a tab while that tab holds its lock (Web Locks); when the tab is gone, another takes it over.

import { outdated } from "../model/ledger.js";

/** @typedef {import("../model/ledger.js").Entry} Entry */

const DATABASE = "caption-gallery-uploads";
const FILES = "files";
const ENTRIES = "entries";
const MARK = "uploads"; // in localStorage, and the lock of its changes: a page without the mark does not load the queue
const MOST = 2 ** 30; // bytes of files that are kept; of others only what is needed to recognise them

export class Ledger {
  /** @type {Promise<IDBDatabase> | null} */ #open = null;
  /** @type {Map<string, Entry>} */ #mine = new Map();
  /** @type {Set<string>} */ #kept = new Set(); // keys whose file is stored
  #shrinking = false;
  #bytes = 0;
  /** @type {(() => void) | null} */ #release = null;

  /** @param {string} viewer the account; of another one nothing is taken over */
  constructor(viewer) {
    this.viewer = viewer;
    this.tab = crypto.getRandomValues(new Uint32Array(4)).join("-");
    this.usable = "indexedDB" in window && "locks" in navigator;
  }

  /** @param {string} key */
  has(key) {
    return this.#mine.has(key);
  }

  /**
   * Remember uploads. Where the storage is full or forbidden, they are uploaded all the same.
   * @param {Entry[]} entries
   * @param {Map<string, File>} files by the keys of the entries
   */
  async add(entries, files) {
    if (!this.usable) return;
    for (const entry of entries) this.#mine.set(entry.key, entry);
    this.#hold();
    await this.#quietly(async () => {
      await this.#put(entries);
      const fitting = [...files].filter(([key, file]) => !this.#kept.has(key) && (this.#bytes += file.size) <= MOST);
      for (const [key, file] of fitting) {
        if (!this.#mine.has(key)) continue; // finished meanwhile
        await this.#write(FILES, (store) => store.put(file, key));
        this.#kept.add(key);
      }
    });
  }

  /** @param {string} key @param {Partial<Entry>} changes */
  async change(key, changes) {
    const entry = this.#mine.get(key);
    if (!entry) return;
    Object.assign(entry, changes);
    await this.#quietly(() => this.#write(ENTRIES, (store) => store.put(entry)));
  }

  /**
   * One file less was added together with the others of its batch: it was refused, given up or is here already.
   * @param {string} batch
   */
  shrink(batch) {
    for (const entry of this.#mine.values()) if (entry.batch === batch) entry.total -= 1;
    if (this.#shrinking || this.#mine.size === 0) return;
    this.#shrinking = true;
    setTimeout(() => {
      this.#shrinking = false;
      this.#quietly(() => this.#put([...this.#mine.values()]));
    });
  }

  /** @param {string[]} keys */
  async remove(keys) {
    if (!this.usable) return;
    const known = keys.filter((key) => this.#mine.delete(key));
    for (const key of known) this.#kept.delete(key);
    if (known.length) {
      await this.#quietly(async () => {
        await this.#write(ENTRIES, (store) => known.forEach((key) => store.delete(key)));
        await this.#write(FILES, (store) => known.forEach((key) => store.delete(key)));
      });
    }
    if (this.#mine.size === 0) {
      this.#bytes = 0;
      await this.#quietly(() => navigator.locks.request(MARK, async () => {
        if ((await this.#entries()).length === 0) mark("none"); // a tab that adds one waits for the lock
      }));
      if (this.#mine.size) return; // there are new ones meanwhile
      this.#release?.(); // a held lock keeps a page out of the back/forward cache
      this.#release = null;
    }
  }

  /**
   * Take over the uploads of tabs that are gone, now and whenever one of them goes. Those of other accounts stay until
   * their account signs in; old ones are deleted.
   * @param {(entries: Entry[], files: Map<string, File>) => void} take
   */
  async watch(take) {
    if (!this.usable) return;
    await this.#quietly(async () => {
      const all = await this.#entries();
      if (all.length === 0) await this.#clear();
      const old = all.filter((entry) => outdated(entry, Date.now()));
      await this.#delete(old);
      const own = all.filter((entry) => !old.includes(entry) && entry.viewer === this.viewer);
      const tabs = new Set(own.filter((entry) => entry.tab !== this.tab).map(({ tab }) => tab));
      for (const tab of tabs) {
        navigator.locks.request(lockOf(tab), () => this.#quietly(() => this.#take(tab, take))).catch(() => {});
      }
    });
  }

  /** @param {string} tab @param {(entries: Entry[], files: Map<string, File>) => void} take */
  async #take(tab, take) {
    const found = (await this.#entries()).filter((entry) => entry.tab === tab && entry.viewer === this.viewer);
    if (found.length === 0) return; // another tab was first
    /** @type {Map<string, File>} */
    const files = new Map();
    for (const { key } of found) {
      const file = await this.#read(FILES, (store) => store.get(key));
      if (file instanceof File) files.set(key, file);
    }
    for (const entry of found) {
      entry.tab = this.tab;
      this.#mine.set(entry.key, entry);
      if (files.has(entry.key)) this.#kept.add(entry.key);
    }
    this.#hold();
    await this.#put(found);
    take(found, files);
  }

  /** Delete files that have no entry. One transaction: another tab may be adding an upload. */
  async #clear() {
    const database = await this.#database();
    const transaction = database.transaction([ENTRIES, FILES], "readwrite");
    const count = transaction.objectStore(ENTRIES).count();
    count.onsuccess = () => count.result === 0 && transaction.objectStore(FILES).clear();
  }

  /** @param {Entry[]} entries */
  async #delete(entries) {
    if (entries.length === 0) return;
    for (const name of [ENTRIES, FILES]) await this.#write(name, (store) => entries.forEach(({ key }) => store.delete(key)));
  }

  /** @returns {Promise<Entry[]>} */
  #entries() {
    return this.#read(ENTRIES, (store) => store.getAll());
  }

  /** @param {Entry[]} entries those that are removed while this waits for the lock are not written */
  async #put(entries) {
    if (entries.length === 0) return;
    await navigator.locks.request(MARK, () => {
      mark("left");
      return this.#write(ENTRIES, (store) => {
        for (const entry of entries) if (this.#mine.has(entry.key)) store.put(entry);
      });
    });
  }

  #hold() {
    if (this.#release) return;
    this.#release = () => {};
    navigator.locks.request(lockOf(this.tab), () => new Promise((resolve) => {
      if (this.#mine.size === 0) resolve(undefined); // all was finished before the lock was there
      else this.#release = () => resolve(undefined);
    })).catch(() => {});
  }

  /** @param {() => Promise<unknown>} work the storage may be full, forbidden or deleted by the browser at any time */
  async #quietly(work) {
    try {
      await work();
    } catch (error) {
      console.info("Uploads are not remembered:", error);
    }
  }

  /** @param {string} name @param {(store: IDBObjectStore) => unknown} work @returns {Promise<void>} */
  async #write(name, work) {
    const database = await this.#database();
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(name, "readwrite");
      transaction.oncomplete = () => resolve();
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
      work(transaction.objectStore(name));
    });
  }

  /** @param {string} name @param {(store: IDBObjectStore) => IDBRequest} work @returns {Promise<any>} */
  async #read(name, work) {
    const database = await this.#database();
    return new Promise((resolve, reject) => {
      const request = work(database.transaction(name).objectStore(name));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  #database() {
    this.#open ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(ENTRIES, { keyPath: "key" });
        request.result.createObjectStore(FILES);
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return this.#open;
  }
}

/** @param {string} tab */
const lockOf = (tab) => `caption-gallery-tab-${tab}`;

/** @param {"none" | "left"} value */
function mark(value) {
  try {
    localStorage.setItem(MARK, value);
  } catch { /* the storage is forbidden: then no upload is continued after a reload */ }
}
