// The lightbox dialog: one photo at a time, with the data of the grid's cards.

const SWIPE = 48; // pixels

export class Lightbox {
  // cards(): the grid's cards. more: {possible(), load()} for cards that are not loaded yet.
  constructor(dialog, { cards, more }) {
    this.dialog = dialog;
    this.cards = cards;
    this.more = more;
    this.card = null;
    const find = (selector) => dialog.querySelector(selector);
    [this.large, this.blur, this.caption, this.source, this.details] = [".large", ".blur", ".caption", ".source", ".details"].map(find);
    [this.previous, this.next] = [find(".previous"), find(".next")];
    this.previous.addEventListener("click", () => this.step(-1));
    this.next.addEventListener("click", () => this.step(1));
    find(".close").addEventListener("click", () => this.close());
    this.large.addEventListener("load", () => this.large.classList.remove("loading"));
    this.large.addEventListener("error", () => this.large.classList.remove("loading"));
    dialog.addEventListener("keydown", (event) => this.key(event));
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
    this.swipes(find(".stage"));
    window.addEventListener("popstate", () => this.dialog.open && this.hide());
  }

  shown() {
    return this.cards().filter((card) => card.querySelector(".frame").dataset.display);
  }

  open(card) {
    this.show(card);
    this.dialog.showModal();
    history.pushState({ lightbox: true }, ""); // so that the back button of a phone closes it
  }

  close() {
    if (history.state?.lightbox) history.back();
    else this.hide();
  }

  hide() {
    this.dialog.close();
    const link = this.card?.querySelector(".frame");
    link?.scrollIntoView({ block: "nearest" });
    link?.focus({ preventScroll: true });
  }

  show(card) {
    this.card = card;
    const link = card.querySelector(".frame");
    const blur = card.querySelector(".blur");
    const text = (selector) => card.querySelector(selector).textContent;
    this.large.classList.add("loading");
    this.large.src = link.dataset.display;
    const thumb = card.querySelector(".thumb");
    [this.large.alt, this.large.lang] = [thumb.alt, thumb.lang];
    this.blur.src = blur.src;
    this.blur.hidden = blur.hidden;
    this.caption.textContent = text(".caption");
    this.caption.lang = card.querySelector(".caption").lang;
    this.source.textContent = text(".source");
    this.details.href = link.href;
    const all = this.shown();
    const at = all.indexOf(card);
    this.previous.disabled = at <= 0;
    this.next.disabled = at === all.length - 1 && !this.more.possible();
    for (const near of [all[at + 1], all[at - 1]]) {
      if (near) new Image().src = near.querySelector(".frame").dataset.display;
    }
  }

  async step(by) {
    const at = this.shown().indexOf(this.card);
    if (by > 0 && at === this.shown().length - 1 && this.more.possible()) await this.more.load();
    const target = this.shown()[at + by];
    if (!target || !this.dialog.open) return;
    this.show(target);
    // At either end the pressed button is disabled and loses the focus
    if (document.activeElement === document.body || document.activeElement?.disabled) this.dialog.focus();
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    this.step(by);
  }

  swipes(stage) {
    let from = null;
    stage.addEventListener("touchstart", (event) => {
      from = event.touches.length === 1 ? event.touches[0] : null;
    }, { passive: true });
    stage.addEventListener("touchend", (event) => {
      if (from === null) return;
      const to = event.changedTouches[0];
      const across = to.clientX - from.clientX;
      if (Math.abs(across) > SWIPE && Math.abs(across) > 2 * Math.abs(to.clientY - from.clientY)) this.step(across < 0 ? 1 : -1);
      from = null;
    }, { passive: true });
  }
}
