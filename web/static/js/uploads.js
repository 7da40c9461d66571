// The upload queue: any number of files, a few at a time, each with its card.

import { ask, Problem } from "./api.js";
import { say } from "./announce.js";
import * as cards from "./cards.js";
import { limits } from "./limits.js";
import { SendError, send } from "./send.js";
import { sniff } from "./sniff.js";

const { upload_retries_ms: PAUSES, longest_upload_retry_ms: LONGEST_PAUSE } = limits;

const pieces = document.getElementById("upload");

const PASSING = new Set([0, 429]); // the network, and too many requests

class Refused extends Error {}

export class Uploads {
  // accepted: {maxBytes, mediaTypes: Set, typeNames}. place(card): put a new card first. onSent(id): watch it.
  // onChange(uploads): counts or progress have changed.
  constructor({ accepted, place, onSent, onChange }) {
    Object.assign(this, { accepted, place, onSent, onChange });
    this.queue = [];
    this.active = new Set();
    this.round = []; // uploads since the queue was last empty
  }

  get busy() {
    return this.queue.length + this.active.size > 0;
  }

  // Cards that the server's list does not have, newest first.
  get pending() {
    return this.round.filter((upload) => !upload.over || upload.stays).map((upload) => upload.card).reverse();
  }

  add(files) {
    if (!this.busy) this.round = this.round.filter((upload) => upload.stays);
    const batch = uuid();
    for (const file of files) {
      const upload = new Upload(file, this, batch);
      this.round.push(upload);
      this.place(upload.card);
      this.queue.push(upload);
    }
    if (files.length) say(files.length === 1 ? "1 file added." : `${files.length} files added.`);
    this.pump();
  }

  again(upload) {
    this.queue.push(upload);
    this.pump();
  }

  cancelAll() {
    for (const upload of [...this.queue, ...this.active]) upload.cancel();
  }

  pump() {
    while (this.active.size < limits.parallel_uploads && this.queue.length) {
      const upload = this.queue.shift();
      this.active.add(upload);
      upload.run().finally(() => {
        this.active.delete(upload);
        this.pump();
      });
    }
    this.onChange(this);
  }
}

class Upload {
  constructor(file, uploads, batch) {
    this.file = file;
    this.batch = batch;
    this.name = file.name || "Pasted photo";
    this.uploads = uploads;
    this.abort = new AbortController();
    this.sent = 0;
    this.over = false; // finished, refused, interrupted or cancelled
    this.stays = false; // its card shows an error that the server does not know
    this.image = null;
    this.form = null;
    this.card = this.makeCard();
    this.say("queued", "Queued", "");
  }

  makeCard() {
    const card = cards.blank();
    this.panel = pieces.content.firstElementChild.cloneNode(true);
    this.bar = this.panel.querySelector("progress");
    this.note = this.panel.querySelector(".note");
    this.bar.setAttribute("aria-label", `Upload of ${this.name}`);
    for (const label of this.panel.querySelectorAll(".sr")) label.textContent = ` ${this.name}`;
    this.panel.querySelector(".cancel").addEventListener("click", () => this.cancel());
    this.againButton = this.panel.querySelector(".again");
    this.againButton.addEventListener("click", () => this.again());
    card.querySelector(".legend").append(this.panel);
    cards.put(card.querySelector(".caption"), this.name);
    card.querySelector(".caption").classList.add("name");
    for (const part of [".source", ".why", ".retry", ".remove"]) cards.show(card.querySelector(part), false);
    const frame = card.querySelector(".frame");
    frame.removeAttribute("href");
    card.querySelector(".thumb").alt = `Photo ${this.name}, not uploaded yet`;
    return card;
  }

  // Show the state of the upload on its card.
  say(status, chip, note) {
    this.card.dataset.status = status;
    cards.put(this.card.querySelector(".chip"), chip);
    this.note.textContent = note;
    cards.show(this.bar, status === "queued" || status === "uploading");
    cards.show(this.againButton, status === "interrupted");
  }

  async run() {
    try {
      const mediaType = await this.check();
      this.say("uploading", "Uploading", "");
      if (!this.card.querySelector(".thumb").hasAttribute("src")) cards.preview(this.card, this.file);
      await this.persist(mediaType);
      this.finish();
    } catch (error) {
      this.stop(error);
    }
  }

  // Resolves to the media type. Rejects with Refused, whose sentence the card shows, before anything is sent.
  async check() {
    const { maxBytes, mediaTypes, typeNames } = this.uploads.accepted;
    if (this.file.size === 0) throw new Refused("This file is empty.");
    let found;
    try {
      found = await sniff(this.file);
    } catch {
      throw new Refused("This file cannot be read. Is it a folder, or has it been moved?");
    }
    if (!mediaTypes.has(found.type)) {
      const what = found.foreign ? `This is ${found.foreign}, which is not accepted.` : "This is not a photo that can be shown here.";
      throw new Refused(`${what} Send ${typeNames}.`);
    }
    if (this.file.size > maxBytes) {
      throw new Refused(`This file has ${megabytes(this.file.size)}; the limit is ${megabytes(maxBytes)}.`);
    }
    return found.type;
  }

  // Request a form and send the file; retry after a lost connection, a busy storage or an expired form.
  async persist(mediaType) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        if (this.form === null) await this.ask(mediaType);
        return await send(this.form, this.file, { onProgress: (sent, all) => this.progress(sent, all), signal: this.abort.signal });
      } catch (error) {
        if (error instanceof SendError && error.stale) this.discard();
        const passing = error instanceof Problem ? PASSING.has(error.status) || error.status >= 500 : error.passing || error.stale;
        if (!passing || attempt >= PAUSES.length) throw error;
        await this.pause(attempt, error);
      }
    }
  }

  async ask(mediaType) {
    const body = { name: this.name, size: this.file.size, type: mediaType, batch: this.batch };
    const { image, form } = await ask("POST", "/api/v1/uploads", { body, signal: this.abort.signal });
    this.image = image;
    this.form = form;
    cards.register(this.card, image.id);
  }

  pause(attempt, error) {
    this.say("uploading", "Trying again", error.message);
    const wait = Math.min(Math.max(PAUSES[attempt], 1000 * (error.retryAfter ?? 0)), LONGEST_PAUSE);
    return new Promise((resolve, reject) => {
      const stop = () => reject(new DOMException("Cancelled", "AbortError"));
      this.abort.signal.addEventListener("abort", stop, { once: true });
      const go = () => {
        this.abort.signal.removeEventListener("abort", stop);
        this.say("uploading", "Uploading", "");
        resolve();
      };
      setTimeout(() => (navigator.onLine ? go() : window.addEventListener("online", go, { once: true })), wait);
    });
  }

  progress(sent, all) {
    this.sent = Math.min(1, sent / all);
    this.bar.value = 100 * this.sent;
    this.note.textContent = this.sent < 1 ? `${Math.floor(100 * this.sent)} % of ${megabytes(this.file.size)}` : "";
    this.uploads.onChange(this.uploads);
  }

  finish() {
    this.sent = 1;
    this.over = true;
    this.panel.remove();
    cards.markSent(this.image.id);
    cards.fill(this.card, this.image);
    this.uploads.onSent(this.image.id);
  }

  stop(error) {
    this.over = true;
    if (error.name === "AbortError") {
      this.discard();
      this.remove();
      return;
    }
    this.stays = true;
    const final = error instanceof Refused || (error instanceof Problem && error.status >= 400 && error.status < 500);
    this.say(final ? "refused" : "interrupted", final ? "Not accepted" : "Interrupted", "");
    cards.put(this.card.querySelector(".why"), error.message);
    const button = this.panel.querySelector(".cancel");
    button.firstChild.textContent = "Remove";
    button.classList.add("quiet"); // the same style as on other cards that can be removed
    say(`${this.name}: ${error.message}`);
  }

  again() {
    cards.show(this.card.querySelector(".why"), false);
    const button = this.panel.querySelector(".cancel");
    button.firstChild.textContent = "Cancel";
    button.classList.remove("quiet");
    this.over = this.stays = false;
    this.sent = this.bar.value = 0;
    this.say("queued", "Queued", "");
    this.uploads.again(this);
  }

  cancel() {
    this.abort.abort();
    const at = this.uploads.queue.indexOf(this);
    if (at >= 0) this.uploads.queue.splice(at, 1);
    if (at >= 0 || this.over) {
      this.over = true;
      this.discard();
      this.remove();
    }
  }

  // Delete the image whose file will not be uploaded.
  discard() {
    if (this.image === null) return;
    ask("DELETE", `/api/v1/images/${this.image.id}`).catch(() => {}); // if this fails, the image expires by itself
    cards.forget(this.card);
    this.image = this.form = null;
  }

  remove() {
    this.uploads.round = this.uploads.round.filter((upload) => upload !== this);
    const next = this.card.nextElementSibling ?? this.card.previousElementSibling;
    if (this.card.contains(document.activeElement)) next?.querySelector("a, button")?.focus();
    this.card.remove();
    this.uploads.onChange(this.uploads);
  }
}

// The id of a batch. crypto.randomUUID exists in secure contexts only.
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40; // RFC 9562, version 4
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// A size in bytes as text, in the units of the server (web/serializers.py).
function megabytes(bytes) {
  if (bytes < 2 ** 20) return `${Math.max(1, Math.round(bytes / 1024))} KiB`;
  return `${(bytes / 2 ** 20).toFixed(1).replace(".0", "")} MiB`;
}
