// What the selection bar does in dialogs and downloads, loaded with its first use.

import { ask } from "../core/api.js";
import { guard } from "../core/guard.js";
import { button, element } from "./dom.js";

/** @typedef {import("../core/bulk.js").Bulk} Bulk */

/**
 * Run one of the actions "tags", "album" and "download".
 * @param {string} name
 * @param {string[]} ids of photos
 * @param {{bulk: Bulk, form: HTMLFormElement}} given form: carries the token of forms
 * @returns {unknown}
 */
export function run(name, ids, { bulk, form }) {
  switch (name) {
    case "tags": return changeTags(ids, bulk);
    case "album": return addToAlbum(ids, bulk);
    case "download": return download(form, ids);
    default: throw new Error(`There is no action ${name}.`);
  }
}

/**
 * @param {string[]} ids
 * @param {Bulk} bulk
 */
function changeTags(ids, bulk) {
  const field = element("input", { id: "bulk-tags", maxLength: 1000, autocomplete: "off", required: true });
  const send = (/** @type {string} */ action) => guard(async () => {
    const tags = field.value.split(",").map((tag) => tag.trim()).filter(Boolean);
    if (tags.length === 0) return;
    dialog.close();
    await bulk.run(action, ids, { tags });
  });
  const dialog = openDialog(`Tags of ${photos(ids)}`, [
    element("label", { htmlFor: field.id }, ["Tags, separated by commas"]), field,
    element("div", { className: "buttons" }, [button("Add", send("add_tags")), button("Remove", send("remove_tags"))]),
  ]);
  field.focus();
}

/**
 * @param {string[]} ids
 * @param {Bulk} bulk
 */
async function addToAlbum(ids, bulk) {
  const listed = await ask("GET", "/api/v1/albums");
  const add = (/** @type {string} */ album) => {
    dialog.close();
    return bulk.run("add_to_album", ids, { album });
  };
  const may = listed.albums.filter((/** @type {{role: string}} */ album) => album.role !== "view");
  const rows = may.map((/** @type {{id: string, name: string}} */ { id, name }) => element("li", { dir: "auto" }, [button(name, guard(() => add(id)))]));
  const field = element("input", { id: "bulk-album", maxLength: 100, autocomplete: "off" });
  const create = guard(async () => {
    const name = field.value.trim();
    if (name) await add((await ask("POST", "/api/v1/albums", { body: { name } })).id);
  });
  const dialog = openDialog(`Add ${photos(ids)} to an album`, [
    element("ul", { role: "list", className: "choices" }, rows),
    element("label", { htmlFor: field.id }, ["New album"]), field,
    element("div", { className: "buttons" }, [button("Create the album", create)]),
  ]);
  (rows[0]?.querySelector("button") ?? field).focus();
}

/** @param {string} title @param {(Node | string)[]} children */
function openDialog(title, children) {
  const close = button("Close", () => dialog.close());
  const dialog = element("dialog", { className: "sheet-dialog", "aria-labelledby": "bulk-title" }, [
    element("h2", { id: "bulk-title" }, [title]), ...children, close,
  ]);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** @param {string[]} ids */
const photos = (ids) => (ids.length === 1 ? "1 photo" : `${ids.length} photos`);

/**
 * Send the form of a download: the browser saves the archive while it is made.
 * @param {HTMLFormElement} given
 * @param {string[]} ids
 */
function download(given, ids) {
  const token = new FormData(given).get("token");
  const field = (/** @type {string} */ name, /** @type {string} */ value) => element("input", { type: "hidden", name, value });
  const form = element("form", { method: "post", action: "/download", hidden: true }, [
    field("token", String(token)), field("ids", ids.join(",")),
  ]);
  document.body.append(form);
  form.submit();
  form.remove();
}
