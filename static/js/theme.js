// Sets the chosen theme before the first paint; "system" leaves the choice to the device.
(() => {
  "use strict";
  const root = document.documentElement;
  const KEY = "vitals-theme";
  const CHOICES = ["system", "light", "dark"];

  const stored = () => {
    try { return localStorage.getItem(KEY); } catch { return null; }
  };
  const apply = (choice) => {
    root.dataset.theme = CHOICES.includes(choice) ? choice : "system";
    document.querySelectorAll("[data-set-theme]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.setTheme === root.dataset.theme));
    });
    document.dispatchEvent(new CustomEvent("vitals:theme"));
  };

  apply(stored() || root.dataset.theme);
  document.addEventListener("DOMContentLoaded", () => apply(root.dataset.theme));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-set-theme]");
    if (!button) return;
    try { localStorage.setItem(KEY, button.dataset.setTheme); } catch { /* private mode: for this page only */ }
    apply(button.dataset.setTheme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (root.dataset.theme === "system") document.dispatchEvent(new CustomEvent("vitals:theme"));
  });
})();
