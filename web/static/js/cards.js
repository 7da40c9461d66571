// The cards of the grid. Their markup is the server's template; scripts set text and attributes only.

import { limits } from "./limits.js";

const [side, denseSide] = limits.thumbnail_sides;
const template = document.getElementById("card");
const LARGE = 2 ** 19; // bytes
const known = new Map(); // id → card
const sent = new Set(); // ids whose file was uploaded by this page, even if the server still lists them as awaiting

export const byId = (id) => known.get(id);
export const markSent = (id) => sent.add(id);

export function register(card, id = card.dataset.id) {
  card.dataset.id = id;
  known.set(id, card);
}

export function forget(card) {
  if (known.get(card.dataset.id) === card) known.delete(card.dataset.id);
}

export function blank() {
  return template.content.firstElementChild.cloneNode(true);
}

export function create(image) {
  const card = blank();
  register(card, image.id);
  fill(card, image);
  return card;
}

// Update a card from an image's JSON.
export function fill(card, image) {
  const find = (selector) => card.querySelector(selector);
  const onItsWay = image.status === "awaiting" && sent.has(image.id);
  card.dataset.status = onItsWay ? "waiting" : image.status;
  card.dataset.settled = image.settled ? "yes" : "no";
  put(find(".chip"), onItsWay ? "Waiting" : image.status_text);
  put(find(".caption"), image.caption || image.name);
  find(".caption").lang = image.caption_language ?? "";
  find(".caption").classList.toggle("name", !image.caption);
  put(find(".source"), image.source_label);
  put(find(".why"), image.message);
  show(find(".retry"), image.retryable && !image.read_only);
  const removable = ["rejected", "failed"].includes(image.status) || (image.status === "awaiting" && !onItsWay);
  show(find(".remove"), removable && !image.read_only);
  for (const [action, verb] of [[".retry", "retry"], [".remove", "delete"]]) {
    find(`${action} button`).formAction = `/images/${image.id}/${verb}`;
  }
  put(find(".retry .sr"), ` with ${image.name}`);
  put(find(".remove .sr"), ` ${image.name}`);
  picture(card, image);
}

// Show the local file until there is a thumbnail. Decoding a large file keeps a core busy for a quarter of a second,
// so it is skipped on computers with fewer than four cores.
export function preview(card, file) {
  if (file.size > LARGE && navigator.hardwareConcurrency < 4) return;
  const thumb = card.querySelector(".thumb");
  thumb.classList.add("local");
  thumb.src = URL.createObjectURL(file);
  thumb.addEventListener("error", () => dropPreview(thumb), { once: true });
}

function picture(card, image) {
  const link = card.querySelector(".frame");
  const blur = card.querySelector(".blur");
  const thumb = card.querySelector(".thumb");
  link.href = `/images/${image.id}`;
  if (image.display_url) link.dataset.display = image.display_url;
  if (image.placeholder && blur.hidden) {
    blur.src = image.placeholder;
    blur.hidden = false;
  }
  thumb.alt = image.alt;
  thumb.lang = image.alt_language ?? "";
  if (image.thumbnail_url && thumb.getAttribute("src") !== image.thumbnail_url) {
    dropPreview(thumb);
    thumb.sizes = template.dataset.sizes;
    thumb.srcset = `${image.thumbnail_url} ${side}w, ${image.thumbnail_2x_url ?? image.thumbnail_url} ${denseSide}w`;
    thumb.src = image.thumbnail_url;
  }
}

function dropPreview(thumb) {
  if (!thumb.classList.contains("local")) return;
  URL.revokeObjectURL(thumb.src);
  thumb.classList.remove("local");
  thumb.removeAttribute("src");
}

export function put(element, words) {
  element.textContent = words ?? "";
  element.hidden = !words;
}

export function show(element, shown) {
  element.hidden = !shown;
}
