/**
 * A line chart of a few points as elements: log y, an interval at each point, and the same figures as a table.
 *
 * @typedef {object} Point
 * @property {number} x
 * @property {import("../../js/types.js").Estimate} estimate
 * @property {boolean} [apart]  not joined to the line
 * @property {string} [note]  what is odd about it
 *
 * @typedef {object} Series
 * @property {string} key  series of one key share a legend entry and stand out together
 * @property {string} title
 * @property {string} [part]  which of the series of its key
 * @property {boolean} [dashed]
 * @property {import("../../js/mechanisms.js").Look} look
 * @property {string} [note]
 * @property {Point[]} points
 *
 * @typedef {object} Props
 * @property {string} label
 * @property {Series[]} series
 * @property {{low: number, high: number, ticks: {at: number, label: string}[], title: string}} x
 * @property {(value: number|null|undefined) => string} format
 *
 * @typedef {ReturnType<typeof createScales>} Scales
 */

import { h, svg } from "../../js/dom.js";
import { decadesOf } from "../../js/figures.js";
import { formatInterval } from "../../js/format.js";
import { markerPath } from "../../js/mechanisms.js";
import { attachTip } from "../tip/tip.js";

export const height_px = 340;
const margin = { top: 10, right: 18, bottom: 40, left: 64 };
const mark_px = 4.2;
/** Around a mark, for a finger. */
const hit_px = 9;
/** Labels below the axis stand at least so far apart. */
const label_px = 46;

/** @param {Props} props @param {number} width */
export function createScales({ series, x }, width) {
  const estimates = series.flatMap((one) => one.points.map((point) => point.estimate));
  const { low, high, decades } = decadesOf(estimates.flatMap((one) => [one.value, one.low ?? 0, one.high ?? 0]));
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

/** @param {string} kind @param {number} x @param {number} y @param {string} anchor @param {string} text */
const drawText = (kind, x, y, anchor, text) => svg("text", { class: kind, x, y, "text-anchor": anchor }, text);

/** @param {Props} props @param {Scales} scales */
export function drawAxes({ x, format }, scales) {
  const lines = scales.decades.map((decade) => {
    const y = scales.y(10 ** decade);
    const label = format(10 ** decade).replace(/\.0+(?= )/, "");
    const line = svg("line", { x1: margin.left, x2: scales.right, y1: y, y2: y });
    return svg("g", { class: "chart-grid" }, line, drawText("", margin.left - 8, y + 4, "end", label));
  });
  let last_x = -Infinity;
  const spaced = x.ticks.filter(({ at }) => {
    const fits = scales.x(at) - last_x >= label_px;
    if (fits) last_x = scales.x(at);
    return fits;
  });
  const ticks = spaced.map(({ at, label }) => drawText("", scales.x(at), scales.bottom + 17, "middle", label));
  return [...lines, ...ticks, drawText("", (margin.left + scales.right) / 2, height_px - 4, "middle", x.title)];
}

/** @param {Point} point @param {Props} props */
const tickText = ({ x }, props) => props.x.ticks.find(({ at }) => at === x)?.label ?? String(x);

/** @param {Series} series */
const nameOf = ({ title, part }) => (part ? `${title}, ${part}` : title);

/**
 * A point that can be reached and tells its figure.
 * @param {Point} point
 * @param {Series} series
 * @param {Props} props
 * @param {Scales} scales
 */
function drawPoint(point, series, props, scales) {
  const { value, low, high } = point.estimate;
  const [x, y] = [scales.x(point.x), scales.y(value)];
  const name = `${nameOf(series)}, ${tickText(point, props)}`;
  const interval_text = formatInterval(point.estimate, props.format);
  const figure = `${props.format(value)} (${interval_text})${point.note ? `; ${point.note}` : ""}`;
  const interval =
    low !== null &&
    high !== null &&
    svg("line", { class: "chart-interval", x1: x, x2: x, y1: scales.y(low), y2: scales.y(high) });
  const dot = svg(
    "g",
    {
      class: point.apart ? "chart-point apart" : "chart-point",
      role: "img",
      "aria-label": `${name}: ${figure}`,
      tabindex: -1,
    },
    interval,
    svg("circle", { class: "chart-hit", cx: x, cy: y, r: hit_px }),
    svg("path", { class: "chart-mark", d: markerPath(series.look.shape, x, y, mark_px) }),
  );
  attachTip(dot, () => [h("strong", {}, name), figure, series.note && h("p", {}, series.note)]);
  return dot;
}

/**
 * @param {Series} series
 * @param {Props} props
 * @param {Scales} scales
 */
export function drawSeries(series, props, scales) {
  const { hue, shade } = series.look;
  const places = series.points
    .filter((point) => !point.apart)
    .map((point) => `${scales.x(point.x).toFixed(1)} ${scales.y(point.estimate.value).toFixed(1)}`);
  const kind = series.dashed ? "chart-line dashed" : "chart-line";
  const line = svg("path", { class: kind, d: places.length > 0 ? `M${places.join("L")}` : null });
  const points = series.points.map((point) => drawPoint(point, series, props, scales));
  const attributes = { class: "chart-series", "data-series": series.key, "data-hue": hue, "data-shade": shade };
  return { group: svg("g", attributes, line, points), points };
}

/** @param {Props} props */
export function createTable({ label, series, x, format }) {
  /** @param {Series} one @param {number} at */
  const figure = (one, at) => {
    const point = one.points.find(({ x: place }) => place === at);
    return [format(point?.estimate.value), point?.note ? h("div", { class: "conditions" }, point.note) : null];
  };
  const heads = x.ticks.map((tick) => h("th", { scope: "col", class: "number" }, tick.label));
  const rows = series.map((one) => {
    const cells = x.ticks.map(({ at }) => h("td", { class: "number" }, figure(one, at)));
    return h("tr", {}, h("th", { scope: "row" }, nameOf(one)), cells);
  });
  return h(
    "table",
    { class: "data-table" },
    h("caption", { class: "visually-hidden" }, label),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Mechanism"), heads)),
    h("tbody", {}, rows),
  );
}
