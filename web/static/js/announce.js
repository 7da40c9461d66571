// What changed, said once and politely: to screen readers, and in a corner where there is something to undo.

const PAUSE = 900; // milliseconds; what happens within them is said together
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

// One photo is ready; several together are only counted.
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

// action: {label, run} adds a button.
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
