"use strict";
// Marks what is changed in a form of settings, asks for the replay, and keeps edits from being drawn over.
(() => {
  const form = () => document.querySelector("form[data-tuning]");
  let dirty = false;

  const text = (field) => {
    if (field.dataset.setting === "switch") return field.querySelector("[type=checkbox]").checked ? "on" : "";
    const input = field.querySelector("input:not([type=hidden]), select, textarea");
    return input.value.trim().replace(/\r\n/g, "\n");
  };

  const same = (field) => {
    const now = text(field), before = field.dataset.present;
    if (now === before) return true;
    return now !== "" && before !== "" && ["number", "count"].includes(field.dataset.setting) && Number(now) === Number(before);
  };

  function mark(field) {
    if (["names", "conditions", "range"].includes(field.dataset.setting)) {
      field.classList.add("field-changed");
      return;
    }
    const changed = !same(field);
    field.classList.toggle("field-changed", changed);
    field.querySelector("[data-was-words]").textContent = changed ? `was ${field.dataset.was}` : "";
  }

  document.addEventListener("input", (event) => {
    const field = event.target.closest("[data-setting]");
    if (!field || !form()?.contains(field)) return;
    dirty = true;
    mark(field);
    document.body.dispatchEvent(new Event("tuned"));
  });

  document.addEventListener("submit", (event) => { if (event.target === form()) dirty = false; });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.id === "content" && dirty) event.detail.shouldSwap = false;
  });
})();
