// Adds a passkey on the account page, and signs in with one (W3C Web Authentication, level 3).
// The form stays hidden in browsers without passkeys.

const form = document.querySelector("form[data-passkey]");
const trouble = form?.querySelector("[role=alert]");

const makers = {
  create: (options) => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
  get: (options) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
};

// Resolves to the options that the gallery gives for this form. Rejects with an Error with a sentence for people.
async function fetchOptions() {
  const body = new URLSearchParams(new FormData(form));
  let answer;
  try {
    answer = await fetch(form.dataset.options, { method: "POST", body, cache: "no-store" });
  } catch {
    throw new Error("The gallery cannot be reached at the moment.");
  }
  const value = await answer.json().catch(() => null);
  if (answer.ok && value) return value;
  throw new Error(value?.message ?? "This page is out of date. Reload it and try again.");
}

function explain(error) {
  if (error.name === "InvalidStateError") return "This device has a passkey of your account already.";
  if (error.name === "NotAllowedError") return "That was cancelled, or took too long. Try again.";
  return error.message;
}

async function submit(event) {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  trouble.hidden = true;
  try {
    const credential = await makers[form.dataset.passkey](await fetchOptions());
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  } catch (error) {
    trouble.textContent = explain(error);
    trouble.hidden = false;
    button.disabled = false;
  }
}

if (form && window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  form.hidden = false;
  form.addEventListener("submit", submit);
} else if (form) {
  document.getElementById("unsupported")?.removeAttribute("hidden");
}
