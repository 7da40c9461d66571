// The theme that a person has chosen, applied before the page is drawn: a classic script, not a module.

(() => {
  const NAME = "theme";
  const root = document.documentElement;
  let theme = "system";

  /** @param {string | null} wanted */
  const apply = (wanted) => {
    theme = wanted === "light" || wanted === "dark" ? wanted : "system";
    root.dataset.theme = theme;
    for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
      if (!(meta instanceof HTMLMetaElement)) continue;
      const { scheme } = meta.dataset;
      meta.media = theme === "system" ? `(prefers-color-scheme: ${scheme})` : scheme === theme ? "all" : "not all";
    }
  };

  try {
    apply(localStorage.getItem(NAME));
    root.dataset.tiles = localStorage.getItem("density") ?? "captions"; // of the photos that the server draws
  } catch { /* the storage is forbidden: the system decides */ }

  window.addEventListener("storage", (event) => event.key === NAME && apply(event.newValue)); // chosen in another tab
  document.addEventListener("DOMContentLoaded", () => {
    const choice = document.getElementById("theme");
    if (!(choice instanceof HTMLSelectElement)) return;
    choice.value = theme;
    choice.addEventListener("change", () => {
      apply(choice.value);
      try {
        localStorage.setItem(NAME, theme);
      } catch { /* the choice lasts as long as the page */ }
    });
  });
})();
