// Polls images that are not settled yet, until all are.

import { ask } from "./api.js";
import { limits } from "./limits.js";

const { first_poll_ms: FIRST, slowest_poll_ms: SLOWEST, max_ids: AT_ONCE, late_after_ms: LONG } = limits;

export class Watcher {
  // onImage(image, late): an image changed. onGone(id): it was deleted. onReach(reached): whether the server answered.
  // onAsk(): a poll starts.
  constructor({ onImage, onGone, onReach, onAsk = () => {} }) {
    this.onAsk = onAsk;
    this.onImage = onImage;
    this.onGone = onGone;
    this.onReach = onReach;
    this.since = new Map(); // id → time of the first poll
    this.last = new Map(); // id → its last response as text, to detect changes
    this.delay = FIRST;
    this.timer = null;
    this.asking = false;
    document.addEventListener("visibilitychange", () => this.hurry());
    window.addEventListener("online", () => this.hurry());
  }

  add(id) {
    if (!this.since.has(id)) this.since.set(id, Date.now());
    this.hurry();
  }

  remove(id) {
    this.since.delete(id);
    this.last.delete(id);
  }

  clear() {
    this.since.clear();
    this.last.clear();
  }

  // Poll soon; a repeated call does not delay the next poll.
  hurry() {
    if (this.timer !== null && this.delay <= FIRST && !document.hidden) return;
    this.delay = FIRST;
    this.schedule();
  }

  schedule() {
    clearTimeout(this.timer);
    this.timer = null;
    if (this.asking || this.since.size === 0 || document.hidden) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.poll();
    }, this.delay);
  }

  async poll() {
    this.asking = true;
    const before = this.delay;
    let news = false;
    this.onAsk();
    try {
      // Those with the oldest answer first: a Map keeps the order of insertion, and answers move to its end
      const ids = [...this.since.keys()].slice(0, AT_ONCE);
      const { images } = await ask("GET", `/api/v1/images?ids=${ids.join(",")}`);
      this.onReach(true);
      news = this.take(ids, images);
    } catch (error) {
      this.onReach(false, error);
    }
    this.asking = false;
    if (news) this.delay = FIRST;
    else if (this.delay === before) this.delay = Math.min(this.delay * 1.4, SLOWEST);
    this.schedule();
  }

  take(ids, images) {
    let news = false;
    const found = new Map(images.map((image) => [image.id, image]));
    for (const id of ids) {
      const image = found.get(id);
      const since = this.since.get(id);
      if (since === undefined) continue; // removed meanwhile
      if (image === undefined || image.status === "deleted") {
        this.remove(id);
        this.onGone(id);
        continue;
      }
      const late = Date.now() - since > LONG;
      const said = JSON.stringify([late, image]);
      if (this.last.get(id) !== said) {
        news = true;
        this.last.set(id, said);
        this.onImage(image, late);
      }
      this.since.delete(id);
      if (image.settled) this.last.delete(id);
      else this.since.set(id, since);
    }
    return news;
  }
}
