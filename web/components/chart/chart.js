/**
 * A line chart of a few points: log y, keyboard cursor, legend, and the same figures as a table. It is drawn at the
 * width it has, so that its text keeps its size; a line ends where a value is not supported.
 *
 * @typedef {object} Point
 * @property {number} x
 * @property {import("../../js/types.js").Estimate} estimate
 * @property {boolean} [apart]  not joined to the line
 *
 * @typedef {object} Series
 * @property {string} key
 * @property {string} title
 * @property {import("../../js/mechanisms.js").Look|undefined} look
 * @property {string} [note]
 * @property {Point[]} points
 *
 * @typedef {object} Props
 * @property {string} label
 * @property {Series[]} series
 * @property {{low: number, high: number, ticks: {at: number, label: string}[], title: string}} x
 * @property {(value: number|null|undefined) => string} format
 */

import { h, setChildren, svg } from "../../js/dom.js";
import { decadesOf } from "../../js/figures.js";
import { formatInterval } from "../../js/format.js";
import { markerPath, plain_look } from "../../js/mechanisms.js";
import { createName } from "../marker/marker.js";
import { attachTip } from "../tip/tip.js";

const height_px = 340;
const margin = { top: 10, right: 18, bottom: 40, left: 64 };
const width_px_min = 260;
const hit_px = 9;

/** @param {Props} props @param {number} width */
function createScales({ series, x }, width) {
  const values = series.flatMap((one) => one.points.map((point) => point.estimate.value));
  const { low, high, decades } = decadesOf(values);
  const inner = { width: width - margin.left - margin.right, height: height_px - margin.top - margin.bottom };
  return {
    decades,
    /** @param {number} value */
    x: (value) => margin.left + ((value - x.low) / (x.high - x.low || 1)) * inner.width,
    /** @param {number} value */
    y: (value) => margin.top + (1 - (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * inner.height,
    right: width - margin.right,
    bottom: height_px - margin.bottom,
  };
}

/** @param {Props} props @param {ReturnType<typeof createScales>} scales */
function drawAxes({ x, format }, scales) {
  return [
    ...scales.decades.map((decade) => {
      const y = scales.y(10 ** decade);
      return svg(
        "g",
        { class: "chart-grid" },
        svg("line", { x1: margin.left, x2: scales.right, y1: y, y2: y }),
        svg("text", { x: margin.left - 8, y: y + 4, "text-anchor": "end" }, format(10 ** decade).replace(/\.0+(?= )/, "")),
      );
    }),
    ...x.ticks.map(({ at, label }) => svg("text", { class: "chart-tick", x: scales.x(at), y: scales.bottom + 17, "text-anchor": "middle" }, label)),
    svg("text", { class: "chart-tick", x: (margin.left + scales.right) / 2, y: height_px - 4, "text-anchor": "middle" }, x.title),
  ];
}

/**
 * @param {Series} series
 * @param {Props} props
 * @param {ReturnType<typeof createScales>} scales
 */
function drawSeries(series, props, scales) {
  const look = series.look ?? plain_look;
  const joined = series.points.filter((point) => !point.apart);
  const line = joined.map((point, i) => `${i === 0 ? "M" : "L"}${scales.x(point.x).toFixed(1)} ${scales.y(point.estimate.value).toFixed(1)}`).join("");
  const group = svg("g", { class: "chart-series", "data-series": series.key, "data-hue": look.hue, "data-shade": look.shade }, svg("path", { class: "chart-line", d: line }));
  const points = series.points.map((point) => {
    const x = scales.x(point.x);
    const y = scales.y(point.estimate.value);
    const { low, high } = point.estimate;
    const tick = props.x.ticks.find(({ at }) => at === point.x)?.label ?? String(point.x);
    const text = `${series.title}, ${tick}: ${props.format(point.estimate.value)}, interval ${formatInterval(point.estimate, props.format)}`;
    const dot = svg(
      "g",
      { class: point.apart ? "chart-point apart" : "chart-point", role: "img", "aria-label": text, tabindex: "-1" },
      low !== null && high !== null && svg("line", { class: "chart-interval", x1: x, x2: x, y1: scales.y(low), y2: scales.y(high) }),
      svg("circle", { class: "chart-hit", cx: x, cy: y, r: hit_px }),
      svg("path", { class: "chart-mark", d: markerPath(look.shape, x, y, 4.2) }),
    );
    attachTip(dot, () => [
      h("strong", {}, `${series.title}, ${tick}`),
      h("span", {}, `${props.format(point.estimate.value)}   (${formatInterval(point.estimate, props.format)})`),
      series.note && h("p", {}, series.note),
    ]);
    return dot;
  });
  group.append(...points);
  return { group, points };
}

/** @param {Props} props */
function createTable({ label, series, x, format }) {
  return h(
    "table",
    { class: "data-table" },
    h("caption", { class: "visually-hidden" }, label),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Mechanism"), x.ticks.map((tick) => h("th", { scope: "col", class: "number" }, tick.label)))),
    h("tbody", {}, series.map((one) => h("tr", {}, h("th", { scope: "row" }, one.title), x.ticks.map((tick) => h("td", { class: "number" }, format(one.points.find((point) => point.x === tick.at)?.estimate.value)))))),
  );
}

/** @param {AbortSignal} signal */
export function createChart(signal) {
  const plot = h("div", { class: "chart-plot" });
  const legend = h("ul", { class: "chart-legend" });
  const twin = h("div", { class: "scroll-x", role: "region", tabindex: "0", "aria-label": "The chart's figures" });
  const element = h("div", { class: "chart" }, plot, legend, h("details", { class: "chart-twin" }, h("summary", {}, "The same as a table"), twin));
  /** @type {Props|null} */
  let props = null;
  let drawn_width = 0;
  /** @type {SVGGElement[][]} */
  let points = [];
  let cursor = { series: 0, point: 0 };

  /** @param {string|null} key */
  function emphasise(key) {
    for (const group of plot.querySelectorAll(".chart-series")) group.classList.toggle("dim", key !== null && group.getAttribute("data-series") !== key);
  }

  /** @param {number} series @param {number} point @param {boolean} focus */
  function moveTo(series, point, focus) {
    points[cursor.series]?.[cursor.point]?.setAttribute("tabindex", "-1");
    const row = Math.min(Math.max(series, 0), points.length - 1);
    const column = Math.min(Math.max(point, 0), (points[row]?.length ?? 1) - 1);
    cursor = { series: row, point: column };
    const target = points[row]?.[column];
    target?.setAttribute("tabindex", "0");
    if (focus) target?.focus();
  }

  plot.addEventListener("keydown", (event) => {
    const { series, point } = cursor;
    /** @type {Record<string, [number, number]>} */
    const moves = { ArrowRight: [series, point + 1], ArrowLeft: [series, point - 1], ArrowDown: [series + 1, point], ArrowUp: [series - 1, point], Home: [series, 0], End: [series, Infinity] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    moveTo(move[0], move[1], true);
  });
  /** @param {Event} event */
  const follow = (event) => {
    const group = event.target instanceof Element ? event.target.closest(".chart-series") : null;
    emphasise(group?.getAttribute("data-series") ?? null);
  };
  plot.addEventListener("pointerover", follow);
  plot.addEventListener("pointerleave", () => emphasise(null));
  plot.addEventListener("focusin", follow);
  plot.addEventListener("focusout", () => emphasise(null));

  function draw() {
    if (!props || drawn_width < width_px_min) return;
    const focused = plot.contains(document.activeElement);
    const scales = createScales(props, drawn_width);
    const drawn = props.series.map((series) => drawSeries(series, /** @type {Props} */ (props), scales));
    points = drawn.map((one) => one.points);
    setChildren(
      plot,
      svg("svg", { width: drawn_width, height: height_px, role: "group", "aria-label": `${props.label}. Arrow keys move along a line and between lines.` }, drawAxes(props, scales), drawn.map((one) => one.group)),
    );
    moveTo(cursor.series, cursor.point, focused);
  }

  const observer = new ResizeObserver(([entry]) => {
    const width = Math.max(width_px_min, Math.floor(entry.contentRect.width));
    if (width === drawn_width) return;
    drawn_width = width;
    draw();
  });
  observer.observe(plot);
  signal.addEventListener("abort", () => observer.disconnect());

  return {
    element,
    /** @param {Props} now */
    update(now) {
      if (props && JSON.stringify(now) === JSON.stringify(props)) return;
      props = now;
      setChildren(
        legend,
        now.series.map((one) => h("li", { onpointerenter: () => emphasise(one.key), onpointerleave: () => emphasise(null) }, createName(one.look, one.title), one.note && h("small", {}, one.note))),
      );
      setChildren(twin, createTable(now));
      draw();
    },
  };
}
