"use strict";
// Live update of the fleet: numbers change in place; rows never jump, a changed order waits behind a button.
(() => {
  const EVERY = 15000;
  const button = document.getElementById("show-changes");
  let waiting = null;

  const list = () => document.getElementById("fleet");
  const ids = (root) => [...root.querySelectorAll("#rows > [id]")].map((row) => row.id);

  function mark(before, after) {
    const old = before.querySelectorAll(".live");
    after.querySelectorAll(".live").forEach((cell, i) => {
      if (old[i] && old[i].textContent !== cell.textContent && !/\u202f(s|min)$/.test(cell.textContent)) cell.classList.add("changed");
    });
  }

  function inPlace(fresh) {
    for (const row of fresh.querySelectorAll("#rows > [id]")) {
      let here = document.getElementById(row.id), there = row;
      // An opened group keeps what it shows; only its head is renewed.
      if (here && here.matches("details")) [here, there] = [here.querySelector("summary"), row.querySelector("summary")];
      if (!here || here.contains(document.activeElement) || here.innerHTML === there.innerHTML) continue;
      mark(here, there);
      const made = document.importNode(there, true);
      const tick = made.querySelector(".col-pick input");
      if (tick && here.querySelector(".col-pick input")?.checked) tick.checked = true;
      here.replaceWith(made);
      window.htmx?.process(made);
    }
    for (const name of [".counts", ".foot"]) {
      const [here, there] = [list().querySelector(name), fresh.querySelector(name)];
      if (here && there && !here.querySelector("details[open]") && !here.contains(document.activeElement) && here.innerHTML !== there.innerHTML) {
        const made = document.importNode(there, true);
        here.replaceWith(made);
        window.htmx?.process(made);
      }
    }
  }

  function moved(before, after) {
    const place = new Map(after.map((id, i) => [id, i]));
    const known = before.filter((id) => place.has(id));
    const order = [...known].sort((a, b) => place.get(a) - place.get(b));
    return known.filter((id, i) => order[i] !== id).length + before.filter((id) => !place.has(id)).length + after.filter((id) => !before.includes(id)).length;
  }

  function show() {
    if (!waiting) return;
    const made = document.importNode(waiting, true);
    list().replaceWith(made);
    window.htmx?.process(made);
    waiting = null;
    button.hidden = true;
  }

  async function update() {
    if (document.hidden || !list() || document.querySelector(".htmx-request")) return;
    const query = location.search;
    let page;
    try {
      const response = await fetch(location.pathname + query, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
      if (!response.ok || response.redirected) return;
      page = new DOMParser().parseFromString(await response.text(), "text/html");
    } catch { return; }
    if (query !== location.search) return;
    const fresh = page.getElementById("fleet");
    const head = page.getElementById("fleet-head");
    if (!fresh || !list()) return;
    if (head && document.getElementById("fleet-head").innerHTML !== head.innerHTML) {
      document.getElementById("fleet-head").innerHTML = head.innerHTML;
      document.title = document.title.replace(/^(\([^)]*\) )?.*$/, (_, mark) => `${mark || ""}${head.querySelector("h1").textContent} · Vitals`);
      document.dispatchEvent(new Event("vitals:state"));
    }
    if (!ids(list()).length || !ids(fresh).length) { waiting = fresh; show(); return; }
    const changes = moved(ids(list()), ids(fresh));
    inPlace(fresh);
    waiting = changes ? fresh : null;
    button.hidden = !changes;
    button.textContent = changes === 1 ? "The order changed: 1 change, show" : `The order changed: ${changes} changes, show`;
  }

  button.addEventListener("click", show);
  setInterval(update, EVERY);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) update(); });
})();
