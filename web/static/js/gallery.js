// The gallery page: connects the store, the list, uploads, the viewer and the address.

import { Actions } from "./core/actions.js";
import { ask, onSignedOut, signInPath, viewer as account } from "./core/api.js";
import { Counts } from "./core/counts.js";
import { Feed, firstCursor } from "./core/feed.js";
import { guard, reportErrors } from "./core/guard.js";
import { Late } from "./core/late.js";
import { ADDED, Library } from "./core/library.js";
import { back, filters, go, named, parse, title } from "./core/router.js";
import { stored } from "./core/signals.js";
import { Store } from "./core/store.js";
import { DENSITIES } from "./model/layout.js";
import { atMost, monthName, monthTitle, numberText, part, stylesheet } from "./view/dom.js";
import { hide } from "./view/focus.js";
import { gather } from "./view/gather.js";
import { Keyboard } from "./view/keyboard.js";
import { recall, remember } from "./view/place.js";
import { offerSamples } from "./view/samples.js";
import { Search } from "./view/search.js";
import { SelectBar } from "./view/selectbar.js";
import { lateUploads } from "./view/sending.js";
import { PhotoTimeline } from "./view/timeline.js";
import { ToastStack } from "./view/toasts.js";

/** @typedef {import("./core/feed.js").Changes} Changes */

const GALLERY = "Caption Gallery";

const root = part("gallery", HTMLElement);
const timeline = part("grid", PhotoTimeline);
const toasts = part("toast", ToastStack);
const selectBar = part("select-bar", SelectBar);

reportErrors((error) => {
  toasts.show(error.message);
  if (!(error.constructor.name === "Problem")) console.error(error);
});

const store = new Store();
const library = new Library(store, (row) => uploads.now?.owns(row) ?? false);
const { sections } = library;

const uploads = lateUploads(root.dataset, store, {
  onAdd(ids) {
    if (ids.length) toasts.say(ids.length === 1 ? "1 file added." : `${ids.length} files added.`);
    library.add(ids);
    window.scrollTo({ top: 0, behavior: "instant" });
    redraw();
  },
  onSent(from, to) {
    library.rename(from, to);
    timeline.rename(from, to);
    feed.hurry();
  },
  onRemove: (ids) => timeline.keepPlace(() => ids.forEach((id) => library.remove(id))),
  onProgress: (id, progress) => timeline.progress(id, progress),
});

/** Draw the list and what depends on it. */
function redraw() {
  timeline.refresh();
  const nothing = sections.total === 0;
  hide(part("empty", HTMLElement), !nothing || library.filtered);
  part("nothing", HTMLElement).hidden = !nothing || !library.filtered;
  root.classList.toggle("bare", nothing);
  if (selectBar.size) selectBar.refresh();
  const count = sections.total === 1 ? "1 photo" : `${numberText(sections.total)} photos`;
  part("count", HTMLElement).textContent = library.filtered ? atMost(count, sections.exact) : "";
}

const counts = new Counts(library, () => {
  timeline.keepPlace(() => {});
  redraw();
});

async function reload() {
  await library.reload({
    looked: () => [...timeline.looked, viewer.now?.shown ?? ""],
    around: (change) => timeline.keepPlace(change),
  });
  counts.correct();
  redraw();
}

/** @param {import("./model/sections.js").Section} section */
async function loadPage(section) {
  const page = await library.load(section);
  if (page) timeline.keepPlace(() => library.take(page));
  counts.correct();
  return page !== null;
}

const feed = new Feed({
  name: `caption-gallery-${account}`,
  onChanges: guard((/** @type {Changes} */ changes) => {
    /** @type {import("./core/store.js").Photo[]} */
    let newer = [];
    timeline.keepPlace(() => {
      newer = library.apply(changes);
    });
    uploads.now?.count(changes.batches);
    for (const photo of newer) announce(photo);
    counts.correct();
    if (newer.some((photo) => photo.settled && photo.status !== "done")) badge.now?.showBadgeSoon(guard);
    if (newer.some((photo) => photo.id === viewer.now?.shown)) return viewer.now?.refresh();
    return undefined;
  }),
  async onReset() {
    const { cursor } = await ask("GET", "/api/v1/changes");
    await reload();
    return cursor;
  },
  onReach: reachability(),
});

const badge = new Late(() => import("./view/badge.js"));
const shared = new Late(() => import("./view/shared.js"));
const adding = new Late(() => import("./view/adding.js"));
const other = new Late(() => import("./view/otheraccount.js"));
const ends = new Late(() => import("./core/newest.js"));

/** @param {import("./core/store.js").Photo} photo */
function announce(photo) {
  if (!photo.settled || !uploads.now?.find(photo.id)) return;
  uploads.now.move();
  if (photo.status === "done") toasts.sayDescribed(photo.caption || photo.name);
  else toasts.say(`${photo.name}: ${photo.message ?? photo.status_text}`);
}

function reachability() {
  let failures = 0;
  /** @type {() => void} */
  let dismiss = () => {};
  return (/** @type {boolean} */ reached, /** @type {Error | undefined} */ error) => {
    if (reached && failures >= 2) dismiss();
    failures = reached ? 0 : failures + 1;
    if (failures === 2) dismiss = toasts.show(`${error?.message} This page keeps trying.`);
  };
}

store.watch((changed) => {
  timeline.update(changed);
  redraw();
});

timeline.setUp({
  store,
  sections,
  async load(section) {
    await loadPage(section);
    redraw();
  },
  title: ({ key, count, next }) =>
    monthTitle(key === ADDED ? "Just added" : monthName(key), count, sections.counted || next === null),
  renew: guard(async (/** @type {string} */ id) => {
    if (!store.get(id)?.local) await library.renew(id);
  }),
});
const months = () => sections.list.filter((section) => section.key !== ADDED);
const scrubber = new Late(async () => {
  const { MonthScrubber } = await import("./view/scrubber.js");
  const made = part("scrubber", MonthScrubber);
  made.setUp({ months, go: (key, at) => timeline.showSection(key, at) });
  return made;
});
timeline.addEventListener("timeline-drawn", guard(async (event) => {
  const useful = months().length > 2; // with fewer there is nothing to scrub
  hide(part("scrubber", HTMLElement), !useful);
  if (useful && event instanceof CustomEvent) (await scrubber.get()).show(event.detail);
}));

const density = stored("density", DENSITIES);
const chooser = part("density", HTMLSelectElement);
density.watch((value) => {
  chooser.value = value;
  timeline.density = value;
});
chooser.addEventListener("change", () => {
  density.value = chooser.value;
});

const actions = new Actions(library, uploads, {
  keepPlace: (change) => timeline.keepPlace(change),
  toast: (text, action) => toasts.show(text, action),
  focus: (id) => viewer.now?.shown ? undefined : timeline.show(id),
  news: () => feed.hurry(),
});
selectBar.setUp({
  timeline,
  sections,
  holds: (id) => library.holds(id),
  form: part("act", HTMLFormElement),
  newest: async (query) => (await ends.get()).newest(query),
  selectable: (id) => store.get(id)?.local !== true,
  uploaded: (id) => store.get(id)?.uploaded,
  month: (id) => store.get(id)?.month ?? "",
  query() {
    const query = new URLSearchParams(library.query);
    query.delete("sort");
    return query.toString();
  },
  bulk: new Late(async () => new (await import("./core/bulk.js")).Bulk({
    toast: (text, action) => toasts.show(text, action),
    progress: (done, total) => selectBar.show(done, total),
    removed(ids) {
      timeline.keepPlace(() => ids.forEach((id) => library.remove(id)));
      redraw();
    },
    reload,
    news: () => feed.hurry(),
  })),
});

timeline.addEventListener("photo-action", guard((event) => {
  if (event instanceof CustomEvent) return actions.run(event.detail.id, event.detail.action);
  return undefined;
}));

// The address: a list, and a photo over it

const search = new Search({
  input: part("q", HTMLInputElement),
  form: part("filters", HTMLFormElement),
  chips: part("chips", HTMLElement),
  failure: part("failure", HTMLElement),
  list: timeline,
  async open(query) {
    await library.open(query);
    counts.correct();
    window.scrollTo({ top: 0, behavior: "instant" });
    redraw();
    timeline.render();
    toasts.say(library.filtered ? `${atMost(String(sections.total), sections.exact)} found.` : "All photos.");
  },
  opened(query) {
    go({ photo: null, query }, { replace: library.filtered && parse(location).query.toString() !== "" });
    show(query);
  },
});

/** @param {URLSearchParams} query */
function show(query) {
  document.title = title(query, GALLERY);
  part("sought", HTMLElement).textContent = query.get("q") ?? named(query).join(", ");
  part("title", HTMLElement).textContent = query.get("q") ? `Photos with “${query.get("q")}”` : "Photos";
  root.classList.toggle("sought", [...query.keys()].some((name) => name !== "sort"));
}

const viewer = new Late(async () => {
  const [{ PhotoViewer }] = await Promise.all([import("./view/viewer.js"), stylesheet("viewer")]);
  const made = part("photo-viewer", PhotoViewer);
  made.setUp({
    store,
    ids: () => sections.ids.filter((id) => !store.get(id)?.local),
    position: (id) => sections.position(id),
    async more(id) {
      const place = sections.place(id);
      const from = place ? sections.list.indexOf(place.section) : -1;
      const section = sections.list.slice(Math.max(0, from)).find((each) => each.next !== null);
      return section ? loadPage(section) : false;
    },
    onShow(id) {
      if (parse(location).photo === null) go({ photo: id, query: library.query }, { state: { over: true } });
      else go({ photo: id, query: library.query }, { replace: true, state: history.state });
    },
    onClose: () => (history.state?.over ? back() : leave()),
    act: (id, action) => actions.run(id, action),
  });
  return made;
});

/** Close the viewer, back to the photo in the list. */
function leave() {
  if (parse(location).photo !== null) go({ photo: null, query: library.query }, { replace: true });
  const id = viewer.now?.close();
  show(library.query);
  if (id && sections.place(id)) timeline.show(id);
}

window.addEventListener("popstate", guard(async () => {
  const { href } = location;
  const { photo, query } = parse(location);
  await search.go(query, { remember: false }); // which compares with what was asked for, and may be on its way
  if (location.href !== href) return; // Back or Forward meanwhile
  show(library.query);
  if (!photo) {
    if (viewer.now?.shown) leave();
    return;
  }
  const over = await viewer.get();
  if (location.href === href) await over.open(photo);
}));

timeline.addEventListener("click", guard(async (event) => {
  if (!(event instanceof MouseEvent) || !(event.target instanceof Element)) return;
  const card = event.target.closest(".frame")?.closest(".card");
  if (!(card instanceof HTMLElement) || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const id = card.dataset.id ?? "";
  if (!store.get(id) || store.get(id)?.local) return;
  event.preventDefault();
  await (await viewer.get()).open(id);
}));

part("photo-viewer", HTMLElement).addEventListener("click", guard(async (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-list]") : null;
  if (!(link instanceof HTMLAnchorElement) || !(event instanceof MouseEvent)) return;
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault(); // the page stays, and with it the uploads
  viewer.now?.close();
  await search.go(filters(new URLSearchParams(link.search)));
}));

/** @type {() => void} */
let begin = () => {};
/** @type {Promise<void>} */
const listed = new Promise((resolve) => { // the first list is shown, or cannot be
  begin = resolve;
});

/** @param {File[]} files @param {string[]} [unreadable] names of files that could not be read */
async function take(files, unreadable = []) {
  if (files.length + unreadable.length === 0) return;
  await listed;
  if (viewer.now?.shown) leave();
  if (library.filtered) await search.go(new URLSearchParams()); // so that the new photos are visible
  await (await uploads.get()).add(files, unreadable);
}

/** @param {File[]} files */
async function takeShared(files) {
  await take(files);
  await uploads.now?.stored;
}

/** Takes what was dropped before this script was loaded. */
export const takeDrop = gather({
  take,
  prepare: () => uploads.get(),
  overlay: part("drop", HTMLElement),
  input: part("files", HTMLInputElement),
  openers: [document.getElementById("add"), document.getElementById("choose")],
});

offerSamples(document.getElementById("samples"), `${root.dataset.static}/samples/`, async (files) => {
  await (await uploads.get()).add(files);
});

onSignedOut((problem) => {
  const { paused: waits = false, busy = false } = uploads.now ?? {};
  if (busy) uploads.now?.pause(); // the files are still here: signing in elsewhere and going on loses none
  if (problem.status !== 401) guard(async () => (await other.get()).tellOther(problem.message, account))();
  else if (!busy && !waits) location.assign(signInPath());
  else if (!waits) {
    toasts.show("You are signed out. Sign in in another tab, then continue the uploads here.", {
      label: "Sign in",
      run: () => window.open("/login", "_blank", "noopener"),
    });
  }
});

window.addEventListener("beforeunload", (event) => {
  if (uploads.now?.busy || uploads.now?.paused || viewer.now?.unsaved) event.preventDefault();
});

new Keyboard({ timeline, viewer, toasts, actions, selectBar, density, sections });

history.scrollRestoration = "manual";
window.addEventListener("pagehide", () => remember(library.query, window.scrollY > 100 ? timeline.position : null));

guard(async () => {
  const query = filters(new URLSearchParams(location.search));
  const adds = location.hash === "#add";
  const place = recall(query);
  timeline.classList.add("asking");
  try {
    const cursor = await firstCursor((sentence) => toasts.show(sentence));
    await search.go(query, { remember: false });
    timeline.classList.remove("asking");
    show(library.query);
    if (place) timeline.showSection(place.key, place.part);
    feed.start(cursor);
    if (stored("uploads", ["none", "left"]).value === "left") await uploads.get(); // which continues what a tab has left behind
  } finally {
    root.dataset.ready = "";
    begin();
  }
  if (document.getElementById("add")) {
    if (adds) await (await adding.get()).offerPicker(part("files", HTMLInputElement));
    await (await shared.get()).receiveShared(takeShared);
  }
  await (await badge.get()).showBadge();
})();
