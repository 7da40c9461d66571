// Adds a passkey on the account page, and signs in with one (W3C Web Authentication, level 3).
// The form stays hidden in browsers without passkeys.

import { guard } from "./core/guard.js";

const form = document.querySelector("form[data-passkey]");

/** @type {Record<string, (options: any) => Promise<Credential | null>>} */
const makers = {
  create: (options) => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
  get: (options) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
};

/**
 * Resolves to the options that the gallery gives for a form. Rejects with an Error with a sentence for people.
 * @param {HTMLFormElement} asking
 */
async function fetchOptions(asking) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(asking)) body.append(name, String(value));
  let answer;
  try {
    answer = await fetch(asking.dataset.options ?? "", { method: "POST", body, cache: "no-store" });
  } catch {
    throw new Error("The gallery cannot be reached at the moment.");
  }
  const value = await answer.json().catch(() => null);
  if (answer.ok && value) return value;
  throw new Error(value?.message ?? "This page is out of date. Reload it and try again.");
}

/** @param {Error} error */
function explain(error) {
  if (error.name === "InvalidStateError") return "This device has a passkey of your account already.";
  if (error.name === "NotAllowedError") return "That was cancelled, or took too long. Try again.";
  return error.message;
}

/** @param {HTMLFormElement} asking */
async function submit(asking) {
  const button = asking.querySelector("button");
  const trouble = asking.querySelector("[role=alert]");
  const field = asking.elements.namedItem("credential");
  const make = makers[asking.dataset.passkey ?? ""];
  if (!button || !(trouble instanceof HTMLElement) || !(field instanceof HTMLInputElement) || !make) return;
  button.disabled = true;
  trouble.hidden = true;
  try {
    field.value = JSON.stringify(await make(await fetchOptions(asking)));
    asking.submit();
  } catch (error) {
    trouble.textContent = explain(/** @type {Error} */ (error));
    trouble.hidden = false;
    button.disabled = false;
  }
}

if (form instanceof HTMLFormElement && "parseRequestOptionsFromJSON" in (window.PublicKeyCredential ?? {})) {
  form.hidden = false;
  form.addEventListener("submit", guard((event) => {
    event.preventDefault();
    return submit(form);
  }));
} else if (form) {
  document.getElementById("unsupported")?.removeAttribute("hidden");
}
