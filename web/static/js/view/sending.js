// The upload queue and its panel, loaded with the first file.

import { viewer } from "../core/api.js";
import { guard } from "../core/guard.js";
import { Late } from "../core/late.js";
import { part } from "./dom.js";

/** @typedef {import("../core/uploads.js").Listeners} Listeners */

/**
 * Uploads that a tab has left behind are continued as soon as the queue is there.
 * @param {DOMStringMap} limits of files, as the page names them
 * @param {import("../core/store.js").Store} store
 * @param {Omit<Listeners, "onChange">} listeners
 */
export function lateUploads({ maxBytes, mediaTypes = "", typeNames = "" }, store, listeners) {
  return new Late(async () => {
    const [{ Uploads }, { Ledger }, { UploadPanel }] = await Promise.all([
      import("../core/uploads.js"), import("../core/ledger.js"), import("./uploads.js"),
    ]);
    const panel = part("uploads", UploadPanel);
    const accepted = { maxBytes: Number(maxBytes), mediaTypes: new Set(mediaTypes.split(" ")), typeNames };
    const ledger = new Ledger(viewer);
    const uploads = new Uploads(accepted, store, ledger, { ...listeners, onChange: () => panel.refresh() });
    panel.setUp(uploads);
    store.watch(() => panel.refresh());
    await ledger.watch(guard((entries, files) => uploads.restore(entries, files)));
    return uploads;
  });
}
