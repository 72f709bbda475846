"use strict";
// Help in place: a "?" opens the card of its term beside it; and buttons that copy a request.
(() => {
  const GAP = 6;
  let opener = null;

  function place(card, at) {
    const box = at.getBoundingClientRect();
    const [wide, high] = [card.offsetWidth, card.offsetHeight];
    const left = Math.max(12, Math.min(box.left - 8, innerWidth - wide - 12));
    const below = box.bottom + GAP;
    const top = below + high < innerHeight - 8 ? below : Math.max(8, box.top - GAP - high);
    card.style.left = `${left}px`;
    card.style.top = `${top}px`;
  }

  async function open(link) {
    const card = document.getElementById("help-card");
    const answer = await fetch(link.dataset.help, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error("no card");
    card.querySelector("[data-help-title]").textContent = link.dataset.term;
    card.querySelector("[data-help-text]").innerHTML = await answer.text();
    opener = link;
    if (!card.matches(":popover-open")) card.showPopover();
    place(card, link);
    card.focus();
  }

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    const said = button.dataset.word || button.textContent;
    button.dataset.word = said;
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl C";
    }
    document.getElementById("said")?.replaceChildren(button.textContent);
    setTimeout(() => { button.textContent = said; }, 2500);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) { copy(button); return; }
    const link = event.target.closest("[data-help]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !("popover" in HTMLElement.prototype)) return;
    event.preventDefault();
    open(link).catch(() => location.assign(link.href));
  });
  document.getElementById("help-card")?.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    const lost = document.activeElement === document.body || event.target.contains(document.activeElement);
    if (lost && opener?.isConnected) opener.focus();
  });
})();
