// The number at "Activity" in the navigation: how many tasks have failed, and can be tried again.

import { ask, Problem } from "../core/api.js";
import { element, numberText } from "./dom.js";

const CALM = 10_000; // milliseconds between two requests
/** @type {ReturnType<typeof setTimeout> | null} */
let waiting = null;

/** @returns {Promise<{count: number}[] | null>} null: not now, which nobody has to hear of */
async function readFailures() {
  try {
    return (await ask("GET", "/api/v1/activity")).failures;
  } catch (error) {
    if (error instanceof Problem && error.passing) return null;
    throw error;
  }
}

/** Ask for the number now. */
export async function showBadge() {
  const link = document.querySelector(".rail a[href='/activity']");
  if (!link) return;
  const failures = await readFailures();
  if (!failures) return;
  const count = failures.reduce((sum, each) => sum + each.count, 0);
  link.querySelector(".badge")?.remove();
  if (count === 0) return;
  const number = element("b", { "aria-hidden": "true" }, [count > 99 ? "99+" : String(count)]);
  link.append(element("span", { className: "badge" }, [number, element("span", { className: "sr" }, [` ${numberText(count)} failed`])]));
}

/** Ask for it soon, once for all calls meanwhile. @param {(run: () => Promise<void>) => () => void} guard */
export function showBadgeSoon(guard) {
  waiting ??= setTimeout(guard(async () => {
    waiting = null;
    await showBadge();
  }), CALM);
}
