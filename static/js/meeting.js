"use strict";
// A meeting saves by itself; what is typed at the last moment goes out when the page is left.
(() => {
  const form = document.querySelector("[data-autosave]");
  if (!form) return;
  const now = () => JSON.stringify([form.elements.verdict.value, form.elements.note.value]);
  const conflict = () => form.querySelector(".saved-conflict");
  let saved = now(), sent = saved;

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!form.contains(event.detail.elt)) return;
    // Until somebody has chosen between the two versions, nothing is saved by itself.
    if (event.detail.elt === form && conflict()) event.preventDefault();
    else sent = now();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && event.detail.pathInfo?.requestPath === new URL(form.action).pathname && !conflict()) saved = sent;
  });
  form.addEventListener("submit", () => { saved = now(); });
  window.addEventListener("pagehide", () => {
    if (now() !== saved && !conflict()) navigator.sendBeacon(form.action, new FormData(form));
  });
})();
