// The page of a passing failure: tries its address again until there is an answer, and then shows it.

import { guard } from "./core/guard.js";

const waiting = document.getElementById("again");
const seconds = Number(waiting?.dataset.seconds) || 5;

async function look() {
  const answer = await fetch(location.href, { cache: "no-store" }).catch(() => null);
  if (answer && ![429, 503].includes(answer.status)) location.reload();
  else setTimeout(guard(look), 1000 * seconds);
}

setTimeout(guard(look), 1000 * seconds);
