/**
 * A line chart with a keyboard cursor, a legend and a table twin. A line ends where a value is not supported.
 */

import { h, setChildren, svg } from "../../js/dom.js";
import { createName } from "../marker/marker.js";
import { chartRows, createScales, createTable, drawAxes, drawSeries, height_px } from "./draw.js";
import { createFrame } from "./frame.js";

/** @typedef {import("./draw.js").Props} Props */

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
  // What is quiet lies behind.
  const ordered = [...props.series].sort((a, b) => Number(b.quiet ?? false) - Number(a.quiet ?? false));
  const drawn = ordered.map((series) => drawSeries(series, props, scales));
  const label = `${props.label}. Arrow keys move along a line and between lines.`;
  const attributes = {
    width,
    height: height_px,
    viewBox: `0 0 ${width} ${height_px}`,
    role: "group",
    "aria-label": label,
  };
  return {
    drawing: svg(
      "svg",
      attributes,
      drawAxes(props, scales),
      drawn.map(({ group }) => group),
    ),
    points: drawn.map((one) => one.points),
  };
}

/** @param {AbortSignal} signal */
export function createChart(signal) {
  const frame = createFrame(signal);
  const emphasise = createEmphasis(frame.plot);
  let shown = "";

  /** @param {import("./draw.js").Series} series */
  const createEntry = ({ key, title, look, note }) =>
    h(
      "li",
      { onpointerenter: () => emphasise(key), onpointerleave: () => emphasise(null) },
      createName(look, title),
      note && h("small", {}, note),
    );

  return {
    element: frame.element,
    /** @param {Props} props */
    update(props) {
      const now = JSON.stringify(props);
      if (now === shown) return;
      shown = now;
      const named = props.series.filter(({ quiet }) => !quiet);
      const entries = named.filter((one, i) => named.findIndex(({ key }) => key === one.key) === i);
      setChildren(frame.legend, entries.map(createEntry));
      frame.show({
        label: props.label,
        draw: (width) => draw(props, width),
        table: () => createTable(props),
        figures: () => chartRows(props),
      });
    },
  };
}
