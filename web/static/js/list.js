// The list of cards: the first page, endless scrolling, and search results.

import { ask } from "./api.js";
import { say, toast } from "./announce.js";
import * as cards from "./cards.js";
import { limits } from "./limits.js";

const TYPING = 250; // milliseconds
const AHEAD = "1200px";

const at = (id) => document.getElementById(id);

export class List {
  // watcher: polls unsettled images. pending(): cards of uploads that the server does not list yet.
  constructor({ watcher, pending }) {
    this.watcher = watcher;
    this.pending = pending;
    this.grid = at("grid");
    this.next = at("gallery").dataset.next || null;
    this.input = at("q");
    this.words = this.input.value.trim();
    this.loading = null;
    this.searching = null; // the AbortController of a running search
    for (const card of this.cards) this.adopt(card);
    this.more = { possible: () => this.next !== null, load: () => this.load() };
    this.watchEnd();
    this.watchSearch();
  }

  get cards() {
    return [...this.grid.children];
  }

  adopt(card) {
    cards.register(card);
    if (card.dataset.settled === "no") this.watcher.add(card.dataset.id);
  }

  prepend(card) {
    this.grid.prepend(card);
    this.refresh();
  }

  insert(card, before) {
    this.grid.insertBefore(card, before?.parentNode === this.grid ? before : null);
    this.refresh();
  }

  // Show or hide headings and empty states according to the content of the grid.
  refresh() {
    const nothing = this.grid.childElementCount === 0 && this.next === null;
    at("empty").hidden = !(nothing && this.words === "");
    at("nothing").hidden = !(nothing && this.words !== "");
    at("more").hidden = this.next === null;
    at("heading").hidden = this.words === "";
    at("title").hidden = this.words !== "";
    at("heading").querySelector("h1").textContent = `Photos with “${this.words}”`;
    at("sought").textContent = this.words;
  }

  // Endless scrolling

  watchEnd() {
    const end = at("more");
    const link = end.querySelector("a");
    this.observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.load(), {
      rootMargin: AHEAD,
    });
    this.observer.observe(end);
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      const last = this.grid.lastElementChild;
      await this.load();
      (last?.nextElementSibling ?? last)?.querySelector(".frame")?.focus();
    });
  }

  load() {
    if (this.next === null) return Promise.resolve();
    this.loading ??= this.fetchMore().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  async fetchMore() {
    const words = this.words;
    try {
      const page = await ask("GET", this.address(this.next));
      if (words !== this.words) return; // the search has changed meanwhile
      this.append(page);
      say(`${page.images.length} more photos.`);
    } catch (problem) {
      toast(problem.message);
      return;
    }
    // An IntersectionObserver reports changes only; the end may still be visible
    this.observer.unobserve(at("more"));
    this.observer.observe(at("more"));
  }

  append({ images, next }) {
    const there = new Set(this.cards.map((card) => card.dataset.id));
    for (const image of images) {
      if (there.has(image.id)) continue;
      this.grid.append(this.cardOf(image));
    }
    this.next = next;
    this.refresh();
  }

  cardOf(image) {
    const card = cards.byId(image.id);
    if (!card) {
      const made = cards.create(image);
      if (!image.settled) this.watcher.add(image.id);
      return made;
    }
    if (!card.querySelector(".upload")) {
      cards.fill(card, image);
      if (!image.settled) this.watcher.add(image.id);
    }
    return card;
  }

  address(cursor) {
    const asked = new URLSearchParams({ limit: limits.page_size });
    if (cursor) asked.set("cursor", cursor);
    if (this.words) asked.set("q", this.words);
    return `/api/v1/images?${asked}`;
  }

  // Search without a page load, so that uploads continue

  watchSearch() {
    let timer = null;
    const later = (wait) => {
      clearTimeout(timer);
      timer = setTimeout(() => this.search(this.input.value.trim()), wait);
    };
    this.input.addEventListener("input", () => later(TYPING));
    this.input.form.addEventListener("submit", (event) => {
      event.preventDefault();
      later(0);
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.input.value === "") return;
      this.input.value = "";
      later(0);
    });
    at("clear").addEventListener("click", (event) => {
      event.preventDefault();
      this.everything();
      this.input.focus();
    });
    window.addEventListener("popstate", () => {
      const words = new URLSearchParams(location.search).get("q")?.trim() ?? "";
      if (words === this.words) return;
      this.input.value = words;
      this.search(words, { remember: false });
    });
  }

  everything() {
    this.input.value = "";
    return this.search("");
  }

  async search(words, { remember = true } = {}) {
    if (words === this.words) return;
    if (remember) {
      const verb = this.words === "" ? "pushState" : "replaceState";
      history[verb](null, "", words ? `/?q=${encodeURIComponent(words)}` : "/");
    }
    this.words = words;
    document.title = words ? `${words} – Caption Gallery` : "Caption Gallery";
    this.searching?.abort();
    this.searching = new AbortController();
    const { signal } = this.searching;
    try {
      this.replace(await ask("GET", this.address(null), { signal }));
    } catch (problem) {
      if (problem.name !== "AbortError") toast(problem.message);
    }
  }

  replace(page) {
    const waiting = this.words === "" ? this.pending() : [];
    this.watcher.clear();
    this.grid.replaceChildren(...waiting);
    this.next = null;
    this.append(page);
    const count = `${page.next ? "More than " : ""}${page.images.length}`;
    say(this.words ? `${count} found.` : "All photos.");
  }
}
