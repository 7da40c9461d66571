// Photos that came by the system's "Share": the service worker keeps them until a person adds or discards them.

import { guard } from "../core/guard.js";
import { workerScript } from "../core/scripts.js";
import { openDialog } from "./dialog.js";
import { button, element, stylesheet } from "./dom.js";

const SHARED = "shared-photos"; // the cache that worker/share.js writes
const NAMES = 50; // that are listed

/**
 * Register the service worker, and ask about the photos that it keeps.
 * @param {(files: File[]) => Promise<void>} take resolves when the files are kept as uploads
 */
export async function receiveShared(take) {
  if (!("serviceWorker" in navigator)) return; // the page is not a secure context
  try {
    await navigator.serviceWorker.register(workerScript("share"), { scope: "/share-target" });
  } catch (error) {
    console.info("Photos cannot be shared with the gallery:", error); // the browser forbids storage, for example
    return;
  }
  if (await caches.has(SHARED)) await offer(await caches.open(SHARED), take);
}

/** @param {Cache} cache @param {(files: File[]) => Promise<void>} take */
async function offer(cache, take) {
  const files = await Promise.all([...await cache.matchAll()].map(fileOf));
  if (files.length === 0) return;
  const names = files.slice(0, NAMES).map(({ name }) => element("li", { dir: "auto" }, [name]));
  if (files.length > NAMES) names.push(element("li", {}, [`and ${files.length - NAMES} more`]));
  const add = guard(async () => {
    dialog.close();
    const kept = await cache.keys(); // another tab may have taken them
    await take(await Promise.all(kept.map(async (key) => fileOf(/** @type {Response} */ (await cache.match(key))))));
    await remove(cache, kept);
  });
  const discard = guard(async () => {
    dialog.close();
    await remove(cache, await cache.keys());
  });
  await stylesheet("dialogs");
  const title = files.length === 1 ? "Add the photo that you shared?" : `Add the ${files.length} photos that you shared?`;
  const buttons = element("div", { className: "buttons" }, [
    button("Add", add, { className: "button primary small" }), button("Discard", discard),
  ]);
  const dialog = openDialog(title, [element("ul", { role: "list", className: "choices" }, names), buttons], "Not now");
}

/** @param {Response} kept */
async function fileOf(kept) {
  const name = decodeURIComponent(kept.headers.get("X-Name") ?? "");
  return new File([await kept.blob()], name, { lastModified: Number(kept.headers.get("X-Modified")) });
}

/** @param {Cache} cache @param {readonly Request[]} keys */
const remove = (cache, keys) => Promise.all(keys.map((key) => cache.delete(key)));
