// Copies the request beside a button, and says so in the button for a moment.
"use strict";
document.addEventListener("click", async (event) => {
  const button = event.target instanceof Element ? event.target.closest("button[data-copy]") : null;
  if (!button) return;
  const code = button.parentElement.querySelector("code");
  const before = button.dataset.word || button.textContent;
  button.dataset.word = before;
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    // Without permission (plain http, say) the text is selected instead: one key press copies it.
    getSelection().selectAllChildren(code);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = before; }, 1600);
});
