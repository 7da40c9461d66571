// Announcements for screen readers (a polite live region) and toasts in the corner of the page.

const PAUSE = 900; // milliseconds; announcements within them are merged
const TOAST = 20_000;

const live = document.getElementById("live");
const corner = document.getElementById("toast");
const sentences = [];
const described = [];
let timer = null;
let toastTimer = null;

export function say(sentence) {
  sentences.push(sentence);
  timer ??= setTimeout(speak, PAUSE);
}

// Announce a finished photo by its caption; several within one pause are only counted.
export function sayDescribed(image) {
  described.push(image.caption || image.name);
  timer ??= setTimeout(speak, PAUSE);
}

function speak() {
  timer = null;
  if (described.length === 1) sentences.push(`Described: ${described[0]}`);
  if (described.length > 1) sentences.push(`${described.length} photos described.`);
  live.textContent = sentences.splice(0).join(" ");
  described.length = 0;
}

// Show a sentence for 20 seconds. action: {label, run} adds a button.
export function toast(sentence, action = null) {
  clearTimeout(toastTimer);
  const words = document.createElement("p");
  words.textContent = sentence;
  corner.replaceChildren(words);
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small";
    button.textContent = action.label;
    button.addEventListener("click", () => {
      clearToast();
      action.run();
    });
    corner.append(button);
  }
  toastTimer = setTimeout(clearToast, TOAST);
}

export function clearToast() {
  clearTimeout(toastTimer);
  corner.replaceChildren();
}
