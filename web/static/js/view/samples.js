// The sample photos that an empty gallery offers.

import { guard } from "../core/guard.js";
import { keepFocus } from "./focus.js";

/**
 * @param {HTMLElement | null} offer the button, which names the files
 * @param {string} base the address of their folder
 * @param {(files: File[]) => Promise<void>} take
 */
export function offerSamples(offer, base, take) {
  if (!(offer instanceof HTMLButtonElement)) return;
  offer.hidden = false;
  offer.addEventListener("click", guard(async () => {
    keepFocus(offer, () => {
      offer.disabled = true;
    });
    try {
      const names = (offer.dataset.files ?? "").split(" ");
      await take(await Promise.all(names.map((name) => sample(base, name))));
    } finally {
      offer.disabled = false;
    }
  }));
}

/** @param {string} base @param {string} name */
async function sample(base, name) {
  const answer = await fetch(`${base}${name}`).catch(() => null);
  if (!answer?.ok) throw new Error("The sample photos cannot be loaded at the moment.");
  return new File([await answer.blob()], name);
}
