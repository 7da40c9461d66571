// As much of a document as the tests of views use: a tree of elements, the focus, and listeners.

export const page = {
  documentElement: { lang: "en" },
  activeElement: /** @type {Stub | null} */ (null),
  createElement: () => new Stub(),
  body: null,
  getElementById: () => null,
  querySelector: () => null,
};

export class Stub {
  /** @type {Stub[]} */ children = [];
  /** @type {Stub | null} */ parentNode = null;
  /** @type {Record<string, string>} */ dataset = {};
  /** @type {Record<string, string>} */ style = {};
  /** @type {Map<string, (event: {target: Stub}) => void>} */ listeners = new Map();
  classList = { add() {}, remove() {}, toggle() {} };
  className = "";
  textContent = "";
  tabIndex = -1;
  src = "";
  complete = true;
  naturalWidth = 1;
  clientWidth = 1000;

  get firstChild() {
    return this.children[0] ?? null;
  }

  get firstElementChild() {
    return this.firstChild;
  }

  get childElementCount() {
    return this.children.length;
  }

  get previousSibling() {
    return this.#beside(-1);
  }

  get nextSibling() {
    return this.#beside(1);
  }

  /** All elements below this one. @returns {Stub[]} */
  get below() {
    return this.children.flatMap((each) => [each, ...each.below]);
  }

  /** @param {number} step */
  #beside(step) {
    const children = this.parentNode?.children ?? [];
    return children[children.indexOf(this) + step] ?? null;
  }

  /** @param {(Stub | string)[]} given */
  append(...given) {
    for (const each of given) {
      if (each instanceof Stub) this.insertBefore(each, null);
      else this.textContent += each;
    }
  }

  /** @param {Stub} child @param {Stub | null} next */
  insertBefore(child, next) {
    child.remove();
    child.parentNode = this;
    this.children.splice(next ? this.children.indexOf(next) : this.children.length, 0, child);
  }

  remove() {
    if (this.contains(page.activeElement)) page.activeElement = null;
    this.parentNode?.children.splice(this.parentNode.children.indexOf(this), 1);
    this.parentNode = null;
  }

  replaceChildren() {
    for (const each of [...this.children]) each.remove();
  }

  /** @param {Stub | null} other */
  contains(other) {
    return other !== null && (this === other || this.below.includes(other));
  }

  focus() {
    page.activeElement = this;
    /** @type {Stub | null} */
    let at = this;
    for (; at; at = at.parentNode) at.listeners.get("focusin")?.({ target: this });
  }

  click() {
    this.listeners.get("click")?.({ target: this });
  }

  /** @param {string} selector of a class @returns {Stub | null} */
  closest(selector) {
    return selector === `.${this.className}` ? this : this.parentNode?.closest(selector) ?? null;
  }

  /** @param {string} selector of a member of dataset @returns {Stub | null} */
  querySelector(selector) {
    return this.below.find(({ dataset }) => Object.keys(dataset).some((name) => selector === `[data-${name}]`)) ?? null;
  }

  querySelectorAll() {
    return [];
  }

  /** @param {string} name @param {(event: {target: Stub}) => void} listener */
  addEventListener(name, listener) {
    this.listeners.set(name, listener);
  }

  dispatchEvent() {}

  get isConnected() {
    return this.parentNode !== null;
  }

  checkVisibility() {
    return this.isConnected;
  }

  matches() {
    return false;
  }

  getBoundingClientRect() {
    return { top: 0 };
  }

  removeAttribute() {}

  setAttribute() {}
}

Object.assign(globalThis, {
  HTMLElement: Stub, HTMLButtonElement: Stub, HTMLImageElement: class {}, customElements: { define() {} }, document: page,
});
