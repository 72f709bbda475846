"use strict";
// Keys, rows that are links, menus that close, and dates of forms: what every page shares.
(() => {
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const row = event.target.closest("tr[data-href]");
    if (row && !event.target.closest("a, button, input, select, label, details") && !getSelection().toString()) {
      if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
      else location.assign(row.dataset.href);
    }
  });

  // A row of tabs that is wider than the window opens at the current one.
  const current = document.querySelector(".tabs [aria-current]");
  if (current) {
    const row = current.parentElement;
    row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
  }

  // A table that scrolls sideways can be reached and moved by the keyboard.
  const reachable = () => document.querySelectorAll(".table-scroll").forEach((box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  });
  reachable();
  addEventListener("resize", reachable);
  document.addEventListener("htmx:load", reachable);

  // What somebody is typing is not drawn away; the tab is asked for again a little later.
  const typed = (one) => one.type === "checkbox" || one.type === "radio" ? one.checked !== one.defaultChecked : one.type !== "hidden" && one.value !== one.defaultValue;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const piece = event.detail.target;
    if (piece?.id !== "content" || ![...piece.querySelectorAll("form[method=post] :is(input, textarea)")].some(typed)) return;
    event.detail.shouldSwap = false;
    setTimeout(() => window.htmx.trigger(document.body, "acted"), 5000);
  });

  const neighbours = () => [...document.querySelectorAll("[data-neighbour]")];
  const rows = () => [...document.querySelectorAll("tr[data-href]")];

  function step(by) {
    const links = neighbours();
    const here = links.findIndex((link) => link.hasAttribute("aria-current"));
    if (here >= 0) {
      const next = links[here + by];
      if (next) location.assign(next.href);
      return;
    }
    const all = rows();
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
    if (next) next.querySelector("a")?.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      const search = document.querySelector("[data-key='/']");
      if (search) { event.preventDefault(); search.focus(); }
    }
    if (event.key === "j" || event.key === "J") step(1);
    if (event.key === "k" || event.key === "K") step(-1);
  });

  // A swap that takes the focused thing away gives the focus to the same thing in what came, or to what came.
  const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex]";
  const keyOf = (one) => one.id || one.getAttribute("href") || `${one.form?.getAttribute("action") || ""} ${one.name || one.textContent.trim()}`;
  let held = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target } = event.detail, at = document.activeElement;
    held = target && at !== document.body && target.contains(at) ? { id: target.id, key: keyOf(at) } : null;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!held || (document.activeElement && document.activeElement !== document.body)) return;
    const came = (held.id ? document.getElementById(held.id) : event.detail.elt) || document.getElementById("main");
    const same = [...came.querySelectorAll(CONTROLS)].find((one) => !one.disabled && keyOf(one) === held.key);
    if (!same && !came.hasAttribute("tabindex")) came.tabIndex = -1;
    for (const one of [same, came, document.getElementById("main")]) {
      if (document.activeElement === document.body) one?.focus({ preventScroll: true });
    }
    held = null;
  });

  // What was typed amiss into a field that no longer applies would keep the browser from sending, without a word.
  document.addEventListener("change", ({ target }) => {
    for (const part of target.form?.querySelectorAll("[data-only]") ?? []) {
      if (getComputedStyle(part).display !== "none") continue;
      for (const field of part.querySelectorAll("input")) if (!field.validity.valid) field.value = field.defaultValue;
    }
  });

  // Session or server gone: a piece of a page is never replaced by the log-in form.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const url = event.detail.xhr?.responseURL || "";
    if (new URL(url || location.href).pathname === "/login/") { event.detail.shouldSwap = false; location.reload(); }
  });
})();
