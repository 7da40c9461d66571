// Starts the gallery's scripts; where the server has drawn pictures, once these are shown: until then both share one
// line. A first touch, key or scroll ends the wait.

const LONGEST = 4000; // milliseconds of waiting for pictures
const AT_ONCE = 6; // requests of a task
const TOUCHES = ["pointerdown", "keydown", "focusin", "scroll", "dragenter"];

const named = document.querySelector("meta[name=modules]")?.getAttribute("content") ?? "";
const pictures = [...document.querySelectorAll("photo-timeline .first img:not([loading=lazy])")];

// Files that are dropped meanwhile are kept: without a listener the browser leaves the page to show them.
/** @type {import("./view/gather.js").Drop[]} */
const early = [];
const waiting = new AbortController();
for (const type of /** @type {const} */ (["dragover", "drop"])) {
  document.addEventListener(type, (event) => {
    const transfer = event.dataTransfer;
    if (!transfer?.types.includes("Files")) return;
    event.preventDefault();
    const entries = () => [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
    if (type === "drop") early.push({ files: [...transfer.files], entries: entries() });
  }, { signal: waiting.signal });
}

/** @param {Element} picture */
const loaded = (picture) => picture instanceof HTMLImageElement ? picture.decode().catch(() => {}) : undefined;

/** Resolves with the first frame in which all of them are painted. */
const painted = async () => {
  await Promise.all(pictures.map(loaded));
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
};

const touched = new Promise((resolve) => {
  for (const type of TOUCHES) window.addEventListener(type, resolve, { once: true, passive: true, capture: true });
});

if (pictures.length) await Promise.race([painted(), touched, new Promise((resolve) => setTimeout(resolve, LONGEST))]);
for (const [at, name] of named.split(" ").filter(Boolean).entries()) {
  if (at % AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve)); // between, what a person does is answered
  const link = document.createElement("link");
  link.rel = "modulepreload"; // without waiting for the module that imports it
  link.href = new URL(name, import.meta.url).href;
  document.head.append(link);
}
try {
  const { takeDrop } = await import("./gallery.js");
  for (const drop of early) takeDrop(drop);
} catch (error) {
  const failure = document.getElementById("failure");
  failure?.replaceChildren("A part of this page could not be loaded. Reload the page to search and to add photos.");
  failure?.removeAttribute("hidden");
  throw error;
} finally {
  waiting.abort();
}

export {};
