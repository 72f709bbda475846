"use strict";
// Maps: what a cell says stands beneath the map while it is under the pointer or has the focus; one cell is reached by
// Tab and the arrow keys walk to the nearest cell on that side. Without this script every cell is a plain link.
(() => {
  const TURNS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

  const middle = (cell) => {
    const box = cell.getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
  };

  // The nearest cell that lies rather on that side than across it.
  const towards = (cell, [right, down]) => {
    const [x, y] = middle(cell);
    let best = null, least = Infinity;
    for (const other of cell.ownerSVGElement.closest("svg.map").querySelectorAll(".cell")) {
      const [a, b] = middle(other);
      const along = (a - x) * right + (b - y) * down;
      const across = Math.abs((a - x) * down) + Math.abs((b - y) * right);
      const cost = along + 2 * across;
      if (other !== cell && along > 0.5 && across <= along * 2 && cost < least) { best = other; least = cost; }
    }
    return best;
  };

  const say = (cell) => {
    const place = cell.closest("section")?.querySelector(".map-said");
    if (place) place.textContent = cell.getAttribute("aria-label");
  };

  const rove = (map) => {
    const cells = [...map.querySelectorAll(".cell")];
    const first = cells.find((cell) => cell.hasAttribute("aria-current")) || cells.at(-1);
    for (const cell of cells) cell.tabIndex = cell === first ? 0 : -1;
  };

  const start = (root) => root.querySelectorAll("svg.map").forEach(rove);

  document.addEventListener("keydown", (event) => {
    const cell = event.target instanceof Element ? event.target.closest("svg.map .cell") : null;
    const turn = TURNS[event.key];
    if (!cell || !turn) return;
    event.preventDefault();
    const next = towards(cell, turn);
    if (!next) return;
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  for (const kind of ["focusin", "pointerover"]) {
    document.addEventListener(kind, (event) => {
      const cell = event.target instanceof Element ? event.target.closest("svg.map .cell") : null;
      if (cell) say(cell);
    });
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => start(document));
  else start(document);
  document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) start(event.target.parentElement || document); });
})();
