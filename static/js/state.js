"use strict";
// The icon and the title of every page tell the state of the fleet, also while the page lies in the background.
(() => {
  const EVERY = 30000;
  const icon = document.querySelector("link[rel=icon][data-failing]");
  if (!icon) return;
  const MARK = /^\((\d[\d,]*|\?)\) /;

  function tell(worst, mark) {
    const href = icon.dataset[worst] || icon.dataset.unknown;
    // A new element: some browsers do not look again at one that they know.
    if (icon.getAttribute("href") !== href) {
      icon.setAttribute("href", href);
      document.head.append(icon);
    }
    document.title = (mark ? `(${mark}) ` : "") + document.title.replace(MARK, "");
  }

  async function look() {
    try {
      const response = await fetch("/state/", { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!response.ok || response.redirected) throw new Error("not answered");
      const { worst, failing } = await response.json();
      tell(worst, failing ? failing.toLocaleString("en-GB") : "");
    } catch { tell("unknown", "?"); }
  }

  // The fleet page brings news of its own, more often.
  document.addEventListener("vitals:state", look);
  setInterval(look, EVERY);
})();
