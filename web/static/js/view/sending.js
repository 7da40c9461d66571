// The upload queue and its panel, loaded with the first file.

import { Late } from "../core/late.js";
import { part } from "./dom.js";

/** @typedef {import("../core/uploads.js").Listeners} Listeners */

/**
 * @param {DOMStringMap} limits of files, as the page names them
 * @param {import("../core/store.js").Store} store
 * @param {Omit<Listeners, "onChange">} listeners
 */
export function lateUploads({ maxBytes, mediaTypes = "", typeNames = "" }, store, listeners) {
  return new Late(async () => {
    const [{ Uploads }, { UploadPanel }] = await Promise.all([import("../core/uploads.js"), import("./uploads.js")]);
    const panel = part("uploads", UploadPanel);
    const accepted = { maxBytes: Number(maxBytes), mediaTypes: new Set(mediaTypes.split(" ")), typeNames };
    const uploads = new Uploads(accepted, store, { ...listeners, onChange: () => panel.refresh() });
    panel.setUp(uploads);
    store.watch(() => panel.refresh());
    return uploads;
  });
}
