// First run: offers the time zone of the browser, as long as nothing else was chosen.
(() => {
  const zones = document.querySelector("select[name=time_zone]");
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zones && zones.value === "UTC" && [...zones.options].some((option) => option.value === here)) zones.value = here;
})();
