/**
 * A line chart with a keyboard cursor, a legend and a table twin. It is drawn at the width it has, so that its text
 * keeps its size; a line ends where a value is not supported.
 */

import { h, setChildren, svg } from "../../js/dom.js";
import { createName } from "../marker/marker.js";
import { createCursor } from "./cursor.js";
import { createScales, createTable, drawAxes, drawSeries, height_px } from "./draw.js";

/** @typedef {import("./draw.js").Props} Props */

const width_px_min = 260;

/**
 * Dims all series but one, the one pointed at or focused.
 * @param {HTMLElement} plot
 */
function createEmphasis(plot) {
  /** @param {string|null} key */
  function emphasise(key) {
    for (const group of plot.querySelectorAll(".chart-series")) {
      group.classList.toggle("dim", key !== null && group.getAttribute("data-series") !== key);
    }
  }
  /** @param {Event} event */
  const follow = ({ target }) => {
    const group = target instanceof Element ? target.closest(".chart-series") : null;
    emphasise(group?.getAttribute("data-series") ?? null);
  };
  plot.addEventListener("pointerover", follow);
  plot.addEventListener("focusin", follow);
  plot.addEventListener("pointerleave", () => emphasise(null));
  plot.addEventListener("focusout", () => emphasise(null));
  return emphasise;
}

/** @param {Props} props @param {number} width */
function draw(props, width) {
  const scales = createScales(props, width);
  const drawn = props.series.map((series) => drawSeries(series, props, scales));
  const label = `${props.label}. Arrow keys move along a line and between lines.`;
  const groups = drawn.map(({ group }) => group);
  return {
    drawing: svg(
      "svg",
      { width, height: height_px, role: "group", "aria-label": label },
      drawAxes(props, scales),
      groups,
    ),
    points: drawn.map((one) => one.points),
  };
}

/** @param {AbortSignal} signal */
export function createChart(signal) {
  const plot = h("div", { class: "chart-plot" });
  const legend = h("ul", { class: "chart-legend" });
  const twin = h("div", { class: "scroll-x", role: "region", tabindex: "0", "aria-label": "The chart's figures" });
  const emphasise = createEmphasis(plot);
  const cursor = createCursor(plot);
  /** @type {Props|null} */
  let props = null;
  let width = 0;

  function redraw() {
    if (!props || width === 0) return;
    const focused = plot.contains(document.activeElement);
    const { drawing, points } = draw(props, width);
    setChildren(plot, drawing);
    cursor.follow(points, focused);
  }

  const observer = new ResizeObserver(([entry]) => {
    const now = Math.max(width_px_min, Math.floor(entry.contentRect.width));
    if (entry.contentRect.width === 0 || now === width) return;
    width = now;
    redraw();
  });
  observer.observe(plot);
  signal.addEventListener("abort", () => observer.disconnect());

  /** @param {import("./draw.js").Series} series */
  const createEntry = ({ key, title, look, note }) =>
    h(
      "li",
      { onpointerenter: () => emphasise(key), onpointerleave: () => emphasise(null) },
      createName(look, title),
      note && h("small", {}, note),
    );

  return {
    element: h(
      "div",
      { class: "chart" },
      plot,
      legend,
      h("details", { class: "chart-twin" }, h("summary", {}, "The same as a table"), twin),
    ),
    /** @param {Props} now */
    update(now) {
      if (props && JSON.stringify(now) === JSON.stringify(props)) return;
      props = now;
      const entries = now.series.filter((one, i) => now.series.findIndex(({ key }) => key === one.key) === i);
      setChildren(legend, entries.map(createEntry));
      setChildren(twin, createTable(now));
      redraw();
    },
  };
}
