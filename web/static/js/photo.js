// The photo page: updates without a reload, and times in the time zone of the browser.

import { limits } from "./limits.js";

const { first_poll_ms: FIRST, slowest_poll_ms: SLOWEST } = limits;

let delay = FIRST;
let said = "";

const article = () => document.getElementById("photo");

function localise() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "long", timeStyle: "short" });
  }
}

// Load this page again as a document: its scripts do not run, and no markup is built from strings.
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
    const answer = await fetch(`/api/v1/images/${article().dataset.id}/status`, { cache: "no-cache" });
    const text = await answer.text();
    if (answer.status === 401) location.reload(); // the session has ended: the server redirects to the sign-in page
    if (answer.ok && text !== said) {
      if (said !== "" || JSON.parse(text).status !== article().dataset.status) await renew();
      said = text;
      delay = FIRST;
    } else {
      delay = Math.min(delay * 1.4, SLOWEST);
    }
  } catch {
    delay = SLOWEST;
  }
  schedule();
}

async function renew() {
  const fresh = (await fetchPage()).getElementById("photo");
  const editing = article().querySelector(".edit[open]");
  if (!fresh) return;
  if (editing) fresh.querySelector(".edit")?.replaceWith(editing); // keep text that is being edited
  const focused = article().contains(document.activeElement) && !editing?.contains(document.activeElement);
  article().replaceWith(document.adoptNode(fresh));
  if (focused) document.getElementById("main").focus({ preventScroll: true });
  localise();
  const words = fresh.querySelector("h1").textContent;
  document.title = `${words} – Caption Gallery`;
  document.getElementById("live").textContent = fresh.dataset.settled === "yes" ? words : "";
}

let timer = null;
function schedule() {
  clearTimeout(timer);
  if (article().dataset.settled === "yes" || document.hidden) return;
  timer = setTimeout(look, delay);
}

document.addEventListener("visibilitychange", schedule);
localise();
schedule();
