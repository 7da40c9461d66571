// What the selection bar does in dialogs and downloads, loaded with its first use.

import { ask } from "../core/api.js";
import { guard } from "../core/guard.js";
import { sizeOf } from "../model/bulk.js";
import { openDialog } from "./dialog.js";
import { button, element } from "./dom.js";

/** @typedef {import("../core/bulk.js").Bulk} Bulk */
/** @typedef {import("../model/selection.js").Wanted} Wanted */

/**
 * Run one of the actions "tags", "album", "share" and "download".
 * @param {string} name
 * @param {Wanted} wanted
 * @param {{bulk: Bulk, form: HTMLFormElement}} given form: carries the token of forms
 * @returns {unknown}
 */
export function run(name, wanted, { bulk, form }) {
  switch (name) {
    case "tags": return changeTags(wanted, bulk);
    case "album": return addToAlbum(wanted, bulk);
    case "share": return submit("/shared/new", form, wanted, "/api/v1/shares");
    case "download": return submit("/download", form, wanted, "/api/v1/changes"); // the browser saves it while it is made
    default: throw new Error(`There is no action ${name}.`);
  }
}

/**
 * @param {Wanted} wanted
 * @param {Bulk} bulk
 */
function changeTags(wanted, bulk) {
  const field = element("input", { id: "bulk-tags", maxLength: 1000, autocomplete: "off", required: true });
  const send = (/** @type {string} */ action) => guard(async () => {
    const tags = field.value.split(",").map((tag) => tag.trim()).filter(Boolean);
    if (tags.length === 0) return;
    dialog.close();
    await bulk.run(action, wanted, { tags });
  });
  const dialog = openDialog(`Tags of ${photos(wanted)}`, [
    fieldForm("Tags, separated by commas", field, "Add", send("add_tags"), [button("Remove", send("remove_tags"))]),
  ]);
  field.focus();
}

/**
 * @param {Wanted} wanted
 * @param {Bulk} bulk
 */
async function addToAlbum(wanted, bulk) {
  const albums = await allAlbums();
  const add = (/** @type {string} */ album) => {
    dialog.close();
    return bulk.run("add_to_album", wanted, { album });
  };
  const rows = albums.filter(({ role }) => role !== "view").map(({ id, name }) => element("li", { dir: "auto" }, [button(name, guard(() => add(id)))]));
  const field = element("input", { id: "bulk-album", maxLength: 100, autocomplete: "off", required: true });
  const create = guard(async () => {
    const name = field.value.trim();
    if (name) await add((await ask("POST", "/api/v1/albums", { body: { name } })).id);
  });
  const dialog = openDialog(`Add ${photos(wanted)} to an album`, [
    element("ul", { role: "list", className: "choices" }, rows),
    fieldForm("New album", field, "Create the album", create),
  ]);
  (rows[0]?.querySelector("button") ?? field).focus();
}

/** @returns {Promise<{id: string, name: string, role: string}[]>} */
async function allAlbums() {
  const albums = [];
  for (let next = ""; next !== null;) {
    const listed = await ask("GET", `/api/v1/albums${next && `?cursor=${encodeURIComponent(next)}`}`);
    albums.push(...listed.albums);
    next = listed.next;
  }
  return albums;
}

/**
 * A form of one field, which Enter sends, and "Go" of a phone.
 * @param {string} label @param {HTMLInputElement} field
 * @param {string} action @param {() => void} send @param {Node[]} [others] further buttons
 */
function fieldForm(label, field, action, send, others = []) {
  const form = element("form", {}, [
    element("label", { htmlFor: field.id }, [label]), field,
    element("div", { className: "buttons" }, [element("button", { className: "button small" }, [action]), ...others]),
  ]);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  return form;
}

/** @param {Wanted} wanted */
const photos = (wanted) => {
  if ("exact" in wanted && !wanted.exact) return "all photos that are found";
  return sizeOf(wanted) === 1 ? "1 photo" : `${sizeOf(wanted).toLocaleString("en")} photos`;
};

/**
 * The fields that name the photos in a form.
 * @param {Wanted} wanted
 * @returns {Record<string, string>}
 */
function fieldsOf(wanted) {
  if ("ids" in wanted) return { ids: wanted.ids.join(",") };
  return { selection: `?${wanted.query}`, except: wanted.except.join(",") };
}

/**
 * Send a form that names the photos: an address has no room for their ids. The API is asked first: where the session has
 * ended, the form would lead to the sign-in page without a way back.
 * @param {string} action
 * @param {HTMLFormElement} given
 * @param {Wanted} wanted
 * @param {string} asked a path of the API that needs the same rights
 */
async function submit(action, given, wanted, asked) {
  await ask("GET", asked);
  const token = new FormData(given).get("token");
  const field = (/** @type {string} */ name, /** @type {string} */ value) => element("input", { type: "hidden", name, value });
  const form = element("form", { method: "post", action, hidden: true }, [
    field("token", String(token)), ...Object.entries(fieldsOf(wanted)).map(([name, value]) => field(name, value)),
  ]);
  document.body.append(form);
  form.submit();
  form.remove();
}
