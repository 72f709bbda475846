"use strict";
// The wall renews itself. When it cannot, it says how old it is, in letters that are read from afar.
(() => {
  const EVERY = 30000, OLD = 120000;
  const seen = { at: Date.now() };
  const main = () => document.getElementById("wall");

  function age() {
    const old = Date.now() - seen.at;
    const words = main()?.querySelector(".wall-stale");
    if (!words) return;
    words.hidden = old < OLD;
    const minutes = Math.floor(old / 60000);
    if (!words.hidden) {
      words.textContent = `Not renewed for ${minutes} min: this is how it was, not how it is`;
      document.title = `(?) ${document.title.replace(/^\([^)]*\) /, "")}`;
    }
    document.body.classList.toggle("wall-is-old", !words.hidden);
  }

  async function renew() {
    try {
      const response = await fetch(location.href, { credentials: "same-origin", cache: "no-store" });
      if (!response.ok || response.redirected) throw new Error("not answered");
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById("wall");
      if (!fresh) throw new Error("not the wall");
      main().replaceWith(document.importNode(fresh, true));
      document.title = page.title;
      const icon = page.querySelector("link[rel=icon]");
      if (icon) document.querySelector("link[rel=icon]").replaceWith(document.importNode(icon, true));
      seen.at = Date.now();
    } catch { /* the age says it */ }
    age();
  }

  setInterval(renew, EVERY);
  setInterval(age, 5000);
})();
