// Charts: the server's SVG is readable at once; when plotly.js has loaded, a live figure takes its place.
// Colours come as "$token" or "$token@opacity" and are read from the style sheet, so one figure serves all themes.
(() => {
  "use strict";
  const CONFIG = { displayModeBar: false, responsive: true, doubleClick: false };
  const HOUR = 3600000;
  const NARROW = 480;
  const ROOMY = 772;
  // The ids Plotly looks for before it writes a style sheet: its own rules, and those of a map we never draw.
  const SHEETS = ["plotly.js-style-global", "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53"];

  // Plotly writes no style sheet of its own when an element of this id says so: its few rules are in charts.css.
  // It looks when it loads, so this script stands before it.
  const keepPlotlyFromWritingStyles = () => {
    for (const id of SHEETS) {
      let marker = document.getElementById(id);
      if (!marker) {
        marker = document.createElement("meta");
        marker.id = id;
        document.head.append(marker);
      }
      marker.classList.add("no-inline-styles");
    }
  };

  keepPlotlyFromWritingStyles();

  const resolver = (element) => {
    const css = getComputedStyle(element);
    const canvas = document.createElement("canvas").getContext("2d");
    const seen = new Map();
    const colour = (text) => {
      const [token, opacity] = text.slice(1).split("@");
      const plain = css.getPropertyValue("--" + token).trim();
      if (!plain) return text;
      if (!opacity) return plain;
      canvas.fillStyle = plain;
      const n = parseInt(canvas.fillStyle.slice(1), 16);
      return `rgba(${n >> 16},${(n >> 8) & 255},${n & 255},${opacity})`;
    };
    const walk = (value) => {
      if (typeof value === "string") {
        if (value.startsWith("$")) {
          if (!seen.has(value)) seen.set(value, colour(value));
          return seen.get(value);
        }
        return value.includes("color:$") ? value.replace(/\$[a-z0-9-]+/g, colour) : value;
      }
      if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map(walk);
      if (value && typeof value === "object") {
        const made = {};
        for (const key of Object.keys(value)) made[key] = walk(value[key]);
        return made;
      }
      return value;
    };
    return walk;
  };

  const sizeOf = (chart) => (chart.clientWidth <= NARROW ? 0 : chart.clientWidth <= ROOMY ? 1 : 2);

  const fitted = (chart, figure) => {
    const { data, layout } = resolver(chart)(figure);
    const drawing = chart.querySelector("svg.plot");
    if (drawing) {
      const css = getComputedStyle(drawing);
      layout.margin.l = parseFloat(css.paddingLeft);
      layout.margin.r = parseFloat(css.paddingRight);
    }
    layout.font.family = getComputedStyle(chart).fontFamily;
    layout.hoverlabel.font.family = layout.font.family;
    layout.autosize = true;
    if (chart.clientWidth <= NARROW) {
      if (layout.meta.narrow) layout.xaxis.ticktext = layout.meta.narrow;
      layout.annotations = layout.annotations.filter((note) => note.name !== "wide");
    }
    if (chart.clientWidth <= ROOMY) layout.annotations = layout.annotations.filter((note) => note.name !== "roomy");
    return { data, layout };
  };

  const figureOf = (chart) => {
    const block = document.getElementById(chart.dataset.figure);
    return block ? JSON.parse(block.textContent) : null;
  };

  // --- Going live ---------------------------------------------------------------------------------------

  const goLive = async (chart) => {
    if (chart.liveFigure || !window.Plotly) return;
    const figure = figureOf(chart);
    if (!figure || !figure.data.length) return;
    chart.liveFigure = figure;
    const place = chart.querySelector(".plot-live");
    const { data, layout } = fitted(chart, figure);
    place.style.height = `${layout.height}px`;
    await Plotly.newPlot(place, data, layout, CONFIG);
    chart.classList.add("is-live");
    chart.size = sizeOf(chart);
    listen(chart, place, layout.meta);
    readByKeys(chart, place);
  };

  const redraw = (chart) => {
    if (!chart.liveFigure || !chart.isConnected) return;
    const { data, layout } = fitted(chart, chart.liveFigure);
    Plotly.react(chart.querySelector(".plot-live"), data, layout, CONFIG);
  };

  const listen = (chart, place, meta) => {
    place.on("plotly_relayout", (change) => {
      if (!meta.zoom || chart.resetting) return;
      const from = change["xaxis.range[0]"], to = change["xaxis.range[1]"];
      if (from !== undefined && to !== undefined) zoomTo(chart, toMs(from) + meta.shift, toMs(to) + meta.shift);
    });
    place.on("plotly_doubleclick", () => { if (meta.zoom) choose(chart, null); });
    place.on("plotly_click", (event) => {
      const point = event.points[0];
      if (!point) return;
      const target = meta.clicks && meta.clicks[point.pointIndex];
      if (target) window.location.assign(target);
      else pin(chart, place, event);
    });
  };

  // Plotly names dates without a zone; they are UTC here.
  const toMs = (value) => (typeof value === "number" ? value : Date.parse(String(value).replace(" ", "T") + "Z"));

  const iso = (ms) => new Date(ms).toISOString().replace(":00.000Z", "Z").replace(/:00Z$/, ":00:00Z");

  // A drag asks for whole hours, widened outward and never empty.
  const zoomTo = (chart, from, to) => {
    const start = Math.floor(from / HOUR) * HOUR;
    const end = Math.max(start + HOUR, Math.ceil(to / HOUR) * HOUR);
    choose(chart, { start: iso(start), end: iso(end) });
  };

  const choose = (chart, range) => {
    const asked = new CustomEvent("vitals:range", { bubbles: true, cancelable: true, detail: range });
    if (!chart.dispatchEvent(asked)) return;
    const url = new URL(window.location.href);
    for (const key of ["range", "start", "end"]) url.searchParams.delete(key);
    if (range) {
      url.searchParams.set("start", range.start);
      url.searchParams.set("end", range.end);
    }
    window.location.assign(url);
  };

  // --- Hover: shared by the charts of a page that have the same clock; a click pins it --------------------

  const pin = (chart, place, event) => {
    const copy = place.querySelector(".pinned");
    if (copy) copy.remove();
    const hover = place.querySelector(".hoverlayer");
    if (copy || !hover || !hover.childNodes.length) return;
    const kept = hover.cloneNode(true);
    kept.classList.replace("hoverlayer", "pinned");
    hover.after(kept);
  };

  // Arrow keys walk along the first series, show its hover and say the row of the table twin.
  const readByKeys = (chart, place) => {
    const STEPS = { ArrowRight: 1, ArrowLeft: -1 };
    let at = -1;
    place.tabIndex = 0;
    place.addEventListener("keydown", (event) => {
      if (event.key === "Escape") Plotly.Fx.unhover(place);
      const step = STEPS[event.key];
      const curve = place.data.findIndex((trace) => trace.hoverinfo !== "skip" && trace.meta !== "mark" && (trace.name || trace.text));
      if (!step || curve < 0) return;
      event.preventDefault();
      const { x, x0, dx, y, text } = place.data[curve];
      at = Math.min(y.length - 1, Math.max(0, at < 0 && step < 0 ? y.length - 1 : at + step));
      if (y[at] === null) Plotly.Fx.unhover(place);
      else if (place.layout.hovermode === "closest") Plotly.Fx.hover(place, [{ curveNumber: curve, pointNumber: at }]);
      else Plotly.Fx.hover(place, { xval: x ? x[at] : x0 + at * dx }, place.data[curve].yaxis ? `x${place.data[curve].yaxis}` : "xy");
      const row = chart.querySelectorAll(".chart-table table:first-child tbody tr")[at];
      const said = text ? text[at] : row ? [...row.cells].map((cell) => cell.textContent || "no value").join(", ") : "";
      chart.querySelector("[aria-live]").textContent = said;
    });
  };

  // --- Foot: table, PNG, CSV, link ----------------------------------------------------------------------

  const say = (button, text) => {
    const before = button.textContent;
    button.textContent = text;
    window.setTimeout(() => { button.textContent = before; }, 1600);
  };

  const save = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const csvOf = (chart) => {
    const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const rows = [...chart.querySelectorAll(".chart-table table:first-child tr")];
    return rows.map((row) => [...row.cells].map((cell) => quoted(cell.textContent.trim())).join(",")).join("\r\n") + "\r\n";
  };

  // A chart that stays the server's drawing, such as a map: the picture that is shown, with its colours written out.
  const stillOf = (chart) => {
    const figure = chart.liveFigure ? null : figureOf(chart);
    if (!figure || figure.data.length) return null;
    return [...chart.querySelectorAll(".plot-first > svg")].find((svg) => svg.getClientRects().length) || null;
  };

  const savePicture = async (svg, name) => {
    const css = getComputedStyle(svg);
    const copy = svg.cloneNode(true);
    for (const part of copy.querySelectorAll("[fill], [stroke]")) {
      for (const paint of ["fill", "stroke"]) {
        const token = /^var\((--[a-z0-9-]+)\)$/.exec(part.getAttribute(paint) || "");
        if (token) part.setAttribute(paint, css.getPropertyValue(token[1]).trim());
      }
    }
    const { width, height } = svg.viewBox.baseVal;
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    copy.setAttribute("font-family", css.fontFamily);
    const image = new Image();
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(copy));
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = width * 2;
    canvas.height = height * 2;
    const pen = canvas.getContext("2d");
    pen.fillStyle = css.getPropertyValue("--surface").trim();
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    save(await new Promise((done) => canvas.toBlob(done, "image/png")), `${name}.png`);
  };

  const ACTIONS = {
    table(chart, button) {
      const table = chart.querySelector(".chart-table");
      table.hidden = !table.hidden;
      button.setAttribute("aria-expanded", String(!table.hidden));
    },
    async png(chart, button) {
      const still = stillOf(chart);
      if (still) { await savePicture(still, chart.id); return; }
      if (!chart.liveFigure) { say(button, "loading…"); return; }
      const { data, layout } = fitted(chart, chart.liveFigure);
      const heading = chart.querySelector("h3")?.cloneNode(true);
      heading?.querySelector(".help")?.remove();
      layout.paper_bgcolor = layout.plot_bgcolor = getComputedStyle(document.documentElement).getPropertyValue("--surface").trim();
      if (heading) {
        layout.title = { text: heading.textContent.trim(), x: 0, xanchor: "left", xref: "paper", y: 1, yref: "container", yanchor: "top", pad: { t: 10 }, font: { size: 15 } };
        layout.margin.t += 34;
        layout.height += 34;
      }
      await Plotly.downloadImage({ data, layout }, { format: "png", width: chart.clientWidth, height: layout.height, scale: 2, filename: chart.id });
    },
    csv(chart) { save(new Blob([csvOf(chart)], { type: "text/csv" }), `${chart.id}.csv`); },
    async link(chart, button) {
      const url = new URL(window.location.href);
      url.hash = chart.id;
      try {
        await navigator.clipboard.writeText(url.href);
        say(button, "copied");
      } catch {
        window.location.hash = chart.id;
      }
    },
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-chart]");
    if (button) ACTIONS[button.dataset.chart]?.(button.closest(".chart"), button);
  });

  // The source answers to a token, which a browser does not send: what helps is the request to copy.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-request]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !navigator.clipboard) return;
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(`curl -sSf -H "Authorization: Bearer $VITALS_TOKEN" '${link.href.replaceAll("'", "%27")}'`);
      say(link, "copied");
    } catch { window.location.assign(link.href); }
  });

  // --- Start ---------------------------------------------------------------------------------------------

  // Charts go live one after the other, those in view first, so that the page stays responsive.
  const idle = window.requestIdleCallback || ((work) => window.setTimeout(work, 1));
  const queue = [];
  let busy = false;
  const next = async () => {
    if (busy) return;
    busy = true;
    while (queue.length) {
      await new Promise((ready) => idle(ready, { timeout: 200 }));
      await goLive(queue.shift());
    }
    busy = false;
  };
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      queue.push(entry.target);
    }
    next();
  }, { rootMargin: "400px" });
  const sized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const size = sizeOf(target);
      if (target.liveFigure && target.size !== size) {
        target.size = size;
        redraw(target);
      }
    }
  });

  const start = (root) => {
    if (!window.Plotly) return;
    root.querySelectorAll(".chart[data-figure]").forEach((chart) => {
      seen.observe(chart);
      sized.observe(chart);
    });
  };
  const redrawAll = () => document.querySelectorAll(".chart.is-live").forEach(redraw);

  const begin = () => {
    if (window.Plotly) start(document);
    else document.querySelector("script[data-plotly]")?.addEventListener("load", () => start(document));
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
  document.addEventListener("vitals:theme", () => window.requestAnimationFrame(redrawAll));
  document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) start(event.target.parentElement || document); });
})();
