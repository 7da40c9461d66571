// The photo page: updates without a reload, and times in the time zone of the browser.

import { ask, viewer } from "./core/api.js";
import { guard } from "./core/guard.js";
import { limits } from "./core/limits.js";
import { moment } from "./model/times.js";
import { part } from "./view/dom.js";
import { keepFocus } from "./view/focus.js";

const { first_poll_ms: FIRST, slowest_poll_ms: SLOWEST } = limits;

let delay = FIRST;
let known = "";

const article = () => part("photo", HTMLElement);

function localise() {
  for (const time of document.querySelectorAll("time")) {
    if (!time.dateTime) continue;
    time.textContent = moment(time.dateTime);
  }
}

/**
 * Load this page again as a document: its scripts do not run, and no markup is built from strings.
 * @returns {Promise<Document>}
 */
function fetchPage() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.addEventListener("load", () => (request.status === 200 ? resolve(request.response) : reject(new Error(String(request.status)))));
    request.addEventListener("error", reject);
    request.open("GET", location.pathname);
    request.send();
  });
}

async function look() {
  try {
    const status = await ask("GET", `/api/v1/images/${article().dataset.id}/status`);
    const text = JSON.stringify(status);
    if (text === known) {
      delay = Math.min(delay * 1.4, SLOWEST);
    } else {
      if (known !== "" || status.status !== article().dataset.status) await renew();
      known = text;
      delay = FIRST;
    }
  } catch {
    delay = SLOWEST; // the page keeps trying
  }
  schedule();
}

async function renew() {
  const page = await fetchPage();
  if ((page.body.dataset.viewer ?? viewer) !== viewer) { // its forms act for the account that has signed in since
    location.reload();
    return;
  }
  const fresh = page.getElementById("photo");
  const editing = article().querySelector(".edit[open]");
  if (!fresh) return;
  keepFocus(article(), () => {
    const old = article();
    if (editing) fresh.querySelector(".edit")?.replaceWith(editing); // keep text that is being edited
    old.replaceWith(document.adoptNode(fresh));
  });
  localise();
  const words = fresh.querySelector("h1")?.textContent ?? "";
  document.title = `${words} – Caption Gallery`;
  part("live", HTMLElement).textContent = fresh.dataset.settled === "yes" ? words : "";
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
function schedule() {
  clearTimeout(timer);
  if (article().dataset.settled === "yes" || document.hidden) return;
  timer = setTimeout(guard(look), delay);
}

document.addEventListener("visibilitychange", schedule);
window.addEventListener("pageshow", (event) => event.persisted && guard(renew)()); // an old page of the back/forward cache
localise();
schedule();

// Back to the list as it was left, rather than to its top; a new tab has nothing to go back to
for (const link of document.querySelectorAll(".back a")) {
  link.addEventListener("click", (event) => {
    if (history.length === 1 || !document.referrer.startsWith(`${location.origin}/`) || new URL(document.referrer).pathname !== "/") return;
    event.preventDefault();
    history.back();
  });
}

// The gallery shows its list and a photo over it as one document: after a reload of the photo, the browser takes this
// page for that of the list too.
const { pathname } = location;
window.addEventListener("popstate", () => {
  if (location.pathname !== pathname) location.reload();
});
