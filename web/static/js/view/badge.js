// The number at "Activity" in the navigation: how many tasks have failed, and can be tried again.

import { ask, Problem } from "../core/api.js";
import { element } from "./dom.js";

const CALM = 10_000; // milliseconds between two requests
/** @type {ReturnType<typeof setTimeout> | null} */
let waiting = null;

/** @returns {Promise<number | null>} 100 stands for 100 or more; null: not now, which nobody has to hear of */
async function readFailures() {
  try {
    return (await ask("GET", "/api/v1/activity/failed")).failed;
  } catch (error) {
    if (error instanceof Problem && error.passing) return null;
    throw error;
  }
}

/** Ask for the number now. */
export async function showBadge() {
  const link = document.querySelector(".rail a[href='/activity']");
  if (!link) return;
  const count = await readFailures();
  if (count === null) return;
  link.querySelector(".badge")?.remove();
  if (count === 0) return;
  const [shown, said] = count > 99 ? ["99+", "More than 99"] : [String(count), String(count)];
  const number = element("b", { "aria-hidden": "true" }, [shown]);
  const spoken = element("span", { className: "sr" }, [` ${said} failed`]);
  link.append(element("span", { className: "badge" }, [number, spoken]));
}

/** Ask for it soon, once for all calls meanwhile. @param {(run: () => Promise<void>) => () => void} guard */
export function showBadgeSoon(guard) {
  waiting ??= setTimeout(guard(async () => {
    waiting = null;
    await showBadge();
  }), CALM);
}
