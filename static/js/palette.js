"use strict";
// The command palette (Ctrl K), the list of keys (?), and keys that lead somewhere.
(() => {
  const PAGES = { f: "/", i: "/incidents/", r: "/reviews/", b: "/blind-spots/", w: "/watch/", m: "/mail/", s: "/sources/", p: "/preferences/", h: "/glossary/" };
  const RANGES = { 1: "1d", 7: "7d", 3: "30d", 9: "90d" };
  const PAUSE = 120;
  const G_WAITS = 1200;
  const palette = document.getElementById("palette");
  const keys = document.getElementById("keys");
  if (!palette || !keys) return;
  const [field, list, none] = [palette.querySelector("input"), palette.querySelector("[role=listbox]"), palette.querySelector(".palette-none")];
  let [asked, timer, afterG] = [0, 0, 0];

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    field.removeAttribute("aria-activedescendant");
    if (!option) return;
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  }

  async function ask() {
    const mine = ++asked;
    const query = new URLSearchParams({ q: field.value });
    if (palette.dataset.at) query.set("at", palette.dataset.at);
    let text;
    try {
      const answer = await fetch(`${palette.dataset.from}?${query}`, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return;
      text = await answer.text();
    } catch { return; }
    if (mine !== asked) return;
    list.innerHTML = text;
    none.hidden = options().length > 0;
    choose(options()[0]);
  }

  function open(dialog) {
    document.querySelectorAll("dialog[open]").forEach((other) => other.close());
    dialog.showModal();
    if (dialog === palette) { field.value = ""; field.focus(); ask(); }
  }

  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
  field.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.indexOf(chosen());
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1 };
    if (event.key in moves && all.length) {
      event.preventDefault();
      choose(all[(moves[event.key] + all.length) % all.length]);
    }
    if (event.key === "Enter" && chosen()) {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) window.open(chosen().href, "_blank", "noopener");
      else location.assign(chosen().href);
    }
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette]")) open(palette);
    if (event.target.closest("[data-keys]")) open(keys);
    const dialog = event.target.closest("#palette, #keys");
    if (dialog && (event.target === dialog || event.target.closest("[data-close]"))) dialog.close();
  });

  function beside(links, by) {
    const at = links.findIndex((link) => link.hasAttribute("aria-current"));
    const next = at < 0 ? links[0] : links[at + by];
    if (next) location.assign(next.href);
  }

  function range(name) {
    if (!document.querySelector(".bar")) return;
    const url = new URL(location.href);
    ["start", "end"].forEach((key) => url.searchParams.delete(key));
    url.searchParams.set("range", name);
    location.assign(url);
  }

  const STEPS = {
    "]": () => beside([...document.querySelectorAll("[data-neighbour]")], 1),
    "[": () => beside([...document.querySelectorAll("[data-neighbour]")], -1),
    "}": () => beside([...document.querySelectorAll(".tabs a")], 1),
    "{": () => beside([...document.querySelectorAll(".tabs a")], -1),
    "?": () => open(keys),
    g: () => { afterG = Date.now(); },
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (palette.open) palette.close();
      else open(palette);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
    if (Date.now() - afterG < G_WAITS && PAGES[event.key]) { location.assign(PAGES[event.key]); return; }
    afterG = 0;
    if (RANGES[event.key]) range(RANGES[event.key]);
    STEPS[event.key]?.();
  });
})();
