// The gallery page: connects uploads, polling, list, lightbox and actions with the server-rendered markup.

import { ask } from "./api.js";
import { clearToast, say, sayDescribed, toast } from "./announce.js";
import * as cards from "./cards.js";
import { gather } from "./gather.js";
import { Lightbox } from "./lightbox.js";
import { List } from "./list.js";
import { Uploads } from "./uploads.js";
import { Watcher } from "./watch.js";

const LATE = "Processing takes longer than usual. It continues automatically.";

const at = (id) => document.getElementById(id);
const root = at("gallery");

const watcher = new Watcher({
  onImage(image, late) {
    const card = cards.byId(image.id);
    if (!card) return;
    cards.fill(card, late && !image.settled && !image.message ? { ...image, message: LATE } : image);
    if (!image.settled) return;
    if (image.status === "done") sayDescribed(image);
    else say(`${image.name}: ${image.message ?? image.status_text}`);
  },
  onGone(id) {
    const card = cards.byId(id);
    if (!card) return;
    cards.forget(card);
    card.remove();
    list.refresh();
  },
  onReach: reachability(),
  onAsk: () => document.getElementById("grid").classList.toggle("asking"),
});

const list = new List({ watcher, pending: () => uploads.pending });

const uploads = new Uploads({
  accepted: {
    maxBytes: Number(root.dataset.maxBytes),
    mediaTypes: new Set(root.dataset.mediaTypes.split(" ")),
    typeNames: root.dataset.typeNames,
  },
  place: (card) => list.prepend(card),
  onSent: (id) => watcher.add(id),
  onChange: tray(),
});

const lightbox = new Lightbox(at("lightbox"), { cards: () => list.cards, more: list.more });

gather({
  async take(files) {
    if (files.length === 0) return;
    if (at("lightbox").open) lightbox.close();
    await list.everything(); // leave a search, so that the new photos are visible
    uploads.add(files);
  },
  overlay: at("drop"),
  input: at("files"),
  openers: [at("add"), at("choose")],
});

root.addEventListener("click", (event) => {
  const link = event.target.closest(".frame");
  if (!link?.dataset.display || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  lightbox.open(link.closest(".card"));
});

root.addEventListener("submit", (event) => {
  const card = event.submitter?.closest(".card");
  if (!card) return;
  event.preventDefault();
  if (event.submitter.closest(".retry")) retry(card);
  else remove(card);
});

async function retry(card) {
  const { id } = card.dataset;
  try {
    const image = await ask("POST", `/api/v1/images/${id}/retry`);
    card.querySelector(".frame").focus();
    cards.fill(card, image);
    watcher.add(id);
    say("Trying again.");
  } catch (problem) {
    if (problem.status === 409) watcher.add(id); // another page retried it already
    else toast(problem.message);
  }
}

async function remove(card) {
  const { id } = card.dataset;
  try {
    await ask("DELETE", `/api/v1/images/${id}`);
  } catch (problem) {
    if (problem.status !== 404) {
      toast(problem.message);
      return;
    }
  }
  watcher.remove(id);
  const before = card.nextElementSibling;
  (before ?? card.previousElementSibling)?.querySelector(".frame")?.focus();
  card.remove();
  toast("Moved to the trash.", {
    label: "Undo",
    async run() {
      try {
        const image = await ask("POST", `/api/v1/images/${id}/restore`);
        cards.fill(card, image);
        list.insert(card, before);
        if (!image.settled) watcher.add(id);
        card.querySelector(".frame").focus();
      } catch (problem) {
        toast(problem.message);
      }
    },
  });
  list.refresh();
}

// A presigned URL may have expired while the page stayed open: request a new one, at most once a minute.
const lost = (element) => element.matches?.(".thumb[srcset]");
const renewed = new Map(); // id → when
async function renew(thumb) {
  const card = thumb.closest(".card");
  const { id } = card.dataset;
  thumb.removeAttribute("srcset"); // the placeholder shows instead of a broken image
  thumb.removeAttribute("src");
  if (!id || Date.now() - (renewed.get(id) ?? 0) < 60_000) return;
  renewed.set(id, Date.now());
  try {
    cards.fill(card, await ask("GET", `/api/v1/images/${id}`));
  } catch { /* the placeholder stays */ }
}
root.addEventListener("error", (event) => lost(event.target) && renew(event.target), true); // error events do not bubble
for (const thumb of root.querySelectorAll(".thumb")) {
  if (lost(thumb) && thumb.complete && thumb.naturalWidth === 0) renew(thumb);
}

const samples = at("samples");
if (samples) {
  samples.hidden = false;
  samples.addEventListener("click", async () => {
    samples.disabled = true;
    try {
      uploads.add(await Promise.all(samples.dataset.files.split(" ").map(sample)));
    } catch {
      toast("The sample photos cannot be loaded at the moment.");
    }
    samples.disabled = false;
  });
}

async function sample(name) {
  const answer = await fetch(`${root.dataset.static}/samples/${name}`);
  if (!answer.ok) throw new Error(name);
  return new File([await answer.blob()], name);
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || at("lightbox").open) return;
  event.preventDefault();
  at("q").focus();
  at("q").select();
});

window.addEventListener("beforeunload", (event) => {
  if (uploads.busy) event.preventDefault();
});

function tray() {
  const box = at("tray");
  const [words, bar, button] = [box.querySelector("p"), box.querySelector("progress"), box.querySelector("button")];
  button.addEventListener("click", () => uploads.cancelAll());
  return ({ round, busy }) => {
    box.hidden = !busy || round.length < 2;
    list.refresh();
    if (box.hidden) return;
    const over = round.filter((upload) => upload.over).length;
    words.textContent = `Uploaded ${over} of ${round.length}`;
    bar.value = round.reduce((sum, upload) => sum + (upload.over ? 1 : upload.sent), 0) / round.length;
  };
}

function reachability() {
  let failures = 0;
  return (reached, problem) => {
    if (reached && failures >= 2) clearToast();
    failures = reached ? 0 : failures + 1;
    if (failures === 2) toast(`${problem.message} This page keeps trying.`);
  };
}
