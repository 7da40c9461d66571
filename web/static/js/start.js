// Loads the gallery's scripts once the pictures that the server has drawn are shown: until then both share one line.
// A first touch, key or scroll ends the wait.

const LONGEST = 4000; // milliseconds of waiting for pictures
const AT_ONCE = 6; // requests of a task
const TOUCHES = ["pointerdown", "keydown", "focusin", "scroll", "dragenter"];

const named = document.querySelector("meta[name=modules]")?.getAttribute("content") ?? "";
const pictures = [...document.querySelectorAll("photo-timeline .first img:not([loading=lazy])")];

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

await Promise.race([painted(), touched, new Promise((resolve) => setTimeout(resolve, LONGEST))]);
for (const [at, name] of named.split(" ").entries()) {
  if (at % AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve)); // between, what a person does is answered
  const link = document.createElement("link");
  link.rel = "modulepreload"; // without waiting for the module that imports it
  link.href = new URL(name, import.meta.url).href;
  document.head.append(link);
}
await import("./gallery.js");

export {};
