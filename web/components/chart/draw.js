/**
 * A chart of a few lines as elements: an interval at each point, and the same figures as a table. The y axis has
 * whole decades unless it is given; x comes already as places, with the labels that stand below some of them.
 *
 * @typedef {object} Point
 * @property {number} x
 * @property {import("../../js/types.js").Estimate} estimate
 * @property {boolean} [apart]  not joined to the line
 * @property {string} [note]  what is odd about it
 * @property {string} [href]  where it leads
 * @property {string} [mark]  a sign that makes it stand out
 *
 * @typedef {object} Series
 * @property {string} key  series of one key share a legend entry and stand out together
 * @property {string} title
 * @property {string} [part]  which of the series of its key
 * @property {boolean} [dashed]
 * @property {number} [dash]  which of the dashes; 0: solid, 1: as dashed
 * @property {boolean} [plain]  a line without points
 * @property {boolean} [dots]  points alone, without a line
 * @property {boolean} [hollow]
 * @property {boolean} [quiet]  a grey line behind the others, its figures in the table alone
 * @property {import("../../js/mechanisms.js").Look} look
 * @property {string} [note]
 * @property {Point[]} points
 *
 * @typedef {object} Places
 * @property {number} low
 * @property {number} high
 * @property {{at: number, label: string}[]} ticks
 * @property {string} title
 * @property {(at: number) => string} [text]  of a place that has no tick
 *
 * @typedef {object} Props
 * @property {string} label
 * @property {Series[]} series
 * @property {Places} x
 * @property {import("../../js/axes.js").ValueAxis} [y]
 * @property {(value: number|null|undefined) => string} format
 * @property {{at: number, label: string}[]} [rules]  vertical
 * @property {number} [level]  a value with a line of its own
 * @property {boolean} [bands]  intervals as bands along the lines
 * @property {boolean} [long]  a table with a row for each point: the places of the series differ
 * @property {string} [who]  head of the table's first column
 *
 * @typedef {ReturnType<typeof createScales>} Scales
 */

import { h, svg } from "../../js/dom.js";
import { decadesOf } from "../../js/figures.js";
import { formatInterval } from "../../js/format.js";
import { markerPath } from "../../js/mechanisms.js";
import { attachTip } from "../tip/tip.js";

export const height_px = 340;
const margin = { top: 10, right: 24, bottom: 40, left: 64 };
const mark_px = 4.2;
const small_mark_px = 3.2;
/** Where so many points are on a line that their marks would hide each other. */
const tiny_mark_px = 2;
const crowd_points = 60;
const dash_kinds = ["", "dashed", "dotted", "dash-dotted", "long-dashed"];
/** Around a mark, for a finger. */
const hit_px = 9;
/** Labels below the axis stand at least so far apart. */
const label_px = 46;

/** @param {Series[]} series @returns {import("../../js/axes.js").ValueAxis} */
function wholeDecades(series) {
  const estimates = series.flatMap((one) => one.points.map((point) => point.estimate));
  const { low, high, decades } = decadesOf(estimates.flatMap((one) => [one.value, one.low ?? 0, one.high ?? 0]));
  return { low: 10 ** low, high: 10 ** high, ticks: decades.map((decade) => 10 ** decade), log: true };
}

/** @param {Props} props @param {number} width */
export function createScales({ series, x, y }, width) {
  const axis = y ?? wholeDecades(series);
  const inner = { width: width - margin.left - margin.right, height: height_px - margin.top - margin.bottom };
  const place = axis.log ? Math.log10 : (/** @type {number} */ value) => value;
  const [bottom, top] = [place(axis.low), place(axis.high)];
  return {
    ticks: axis.ticks,
    /** @param {number} value */
    x: (value) => margin.left + ((value - x.low) / (x.high - x.low || 1)) * inner.width,
    /** @param {number} value  beyond the axis it stands at its end */
    y: (value) => {
      const inside = Math.min(Math.max(value, axis.low), axis.high);
      return margin.top + (1 - (place(inside) - bottom) / (top - bottom || 1)) * inner.height;
    },
    top: margin.top,
    right: width - margin.right,
    bottom: height_px - margin.bottom,
  };
}

/** @param {string} kind @param {number} x @param {number} y @param {string} anchor @param {string} text */
export const drawText = (kind, x, y, anchor, text) => svg("text", { class: kind, x, y, "text-anchor": anchor }, text);

/** Without digits that say nothing: 1.00 µs is 1 µs. @param {string} text */
export const shortText = (text) => text.replace(/(\.\d*?)0+(?= |$)/, "$1").replace(/\.(?= |$)/, "");

/** @param {Props} props @param {Scales} scales */
export function drawAxes({ x, format, rules = [], level }, scales) {
  const lines = scales.ticks.map((tick) => {
    const y = scales.y(tick);
    const line = svg("line", { x1: margin.left, x2: scales.right, y1: y, y2: y });
    return svg(
      "g",
      { class: "chart-grid" },
      line,
      drawText("", margin.left - 8, y + 4, "end", shortText(format(tick))),
    );
  });
  let last_x = -Infinity;
  const end_x = scales.x(x.ticks[x.ticks.length - 1]?.at ?? 0);
  // The first and the last always stand: the last may be one of its own, such as a maximum.
  const spaced = x.ticks.filter(({ at }, i) => {
    const here_x = scales.x(at);
    const fits = here_x - last_x >= label_px && end_x - here_x >= label_px;
    if (fits) last_x = here_x;
    return fits || i === 0 || i === x.ticks.length - 1;
  });
  const ticks = spaced.map(({ at, label }) =>
    drawText("", scales.x(at), scales.bottom + 17, "middle", shortText(label)),
  );
  const upright = rules.map(({ at, label }) =>
    svg(
      "g",
      { class: "chart-rule" },
      svg("line", { x1: scales.x(at), x2: scales.x(at), y1: scales.top, y2: scales.bottom }),
      drawText("", scales.x(at) + 4, scales.top + 10, "start", label),
    ),
  );
  const across =
    level !== undefined &&
    svg("line", { class: "chart-level", x1: margin.left, x2: scales.right, y1: scales.y(level), y2: scales.y(level) });
  const title = drawText("", (margin.left + scales.right) / 2, height_px - 4, "middle", x.title);
  return [...lines, across, ...upright, ...ticks, title];
}

/** @param {number} at @param {Props} props */
const placeText = (at, { x }) => x.ticks.find((tick) => tick.at === at)?.label ?? x.text?.(at) ?? String(at);

/** @param {Series} series */
function markSize({ dots, points }) {
  if (dots) return small_mark_px;
  return points.length > crowd_points ? tiny_mark_px : mark_px;
}

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
  const name = `${nameOf(series)}, ${placeText(point.x, props)}`;
  const interval_text = low === null && series.dots ? "" : ` (${formatInterval(point.estimate, props.format)})`;
  const figure = `${props.format(value)}${interval_text}${point.note ? `; ${point.note}` : ""}`;
  const interval =
    low !== null &&
    high !== null &&
    svg("line", { class: "chart-interval", x1: x, x2: x, y1: scales.y(low), y2: scales.y(high) });
  const kind = ["chart-point", (point.apart || series.hollow) && "apart", point.href && "leads"].filter(Boolean);
  const dot = svg(
    "g",
    {
      class: kind.join(" "),
      role: point.href ? "link" : "img",
      "aria-label": `${name}: ${figure}`,
      "data-href": point.href,
      tabindex: -1,
    },
    interval,
    svg("circle", { class: "chart-hit", cx: x, cy: y, r: hit_px }),
    point.mark && svg("circle", { class: "chart-ring", cx: x, cy: y, r: hit_px - 1 }),
    point.mark && drawText("chart-sign", x, y - hit_px - 4, "middle", point.mark),
    svg("path", {
      class: "chart-mark",
      d: markerPath(series.look.shape, x, y, markSize(series)),
    }),
  );
  attachTip(dot, () => [h("strong", {}, name), figure, series.note && h("p", {}, series.note)]);
  return dot;
}

/** @param {Point[]} points @param {Scales} scales */
function drawBand(points, scales) {
  const wide = points.flatMap(({ x, estimate: { low, high } }) =>
    low === null || high === null ? [] : [{ x: scales.x(x).toFixed(1), low: scales.y(low), high: scales.y(high) }],
  );
  if (wide.length < 2) return null;
  const upper = wide.map(({ x, high }) => `${x} ${high.toFixed(1)}`);
  const lower = [...wide].reverse().map(({ x, low }) => `${x} ${low.toFixed(1)}`);
  return svg("path", { class: "chart-band", d: `M${[...upper, ...lower].join("L")}Z` });
}

/**
 * @param {Series} series
 * @param {Props} props
 * @param {Scales} scales
 */
export function drawSeries(series, props, scales) {
  const { hue, shade } = series.look;
  const joined = series.points.filter((point) => !point.apart);
  const places = joined.map((point) => `${scales.x(point.x).toFixed(1)} ${scales.y(point.estimate.value).toFixed(1)}`);
  const dash = series.dash ?? Number(series.dashed ?? false);
  const kind = dash === 0 ? "chart-line" : `chart-line ${dash_kinds[dash]}`;
  const line = series.dots ? null : svg("path", { class: kind, d: places.length > 0 ? `M${places.join("L")}` : null });
  const band = props.bands && !series.quiet ? drawBand(joined, scales) : null;
  const points =
    series.quiet || series.plain ? [] : series.points.map((point) => drawPoint(point, series, props, scales));
  const attributes = {
    class: series.quiet ? "chart-series quiet" : "chart-series",
    "data-series": series.key,
    "data-hue": hue,
    "data-shade": shade,
  };
  return { group: svg("g", attributes, band, line, points), points };
}

/** @param {string} label @param {(string|HTMLElement)[]} heads @param {HTMLElement[]} rows */
const frameTable = (label, heads, rows) =>
  h(
    "table",
    { class: "data-table" },
    h("caption", { class: "visually-hidden" }, label),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        heads.map((head, i) => h("th", { scope: "col", class: i > 0 ? "number" : null }, head)),
      ),
    ),
    h("tbody", {}, rows),
  );

/** @param {Props} props */
export function createTable(props) {
  const { label, x, format, long, who = "Mechanism" } = props;
  const series = props.series.filter(({ plain }) => !plain);
  if (long) {
    const rows = series.flatMap((one) =>
      one.points.map((point) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, nameOf(one)),
          h("td", { class: "number" }, placeText(point.x, props)),
          h("td", { class: "number" }, format(point.estimate.value)),
          h("td", { class: "number" }, point.estimate.low === null ? "–" : formatInterval(point.estimate, format)),
          h("td", { class: "number" }, point.note ?? ""),
        ),
      ),
    );
    return frameTable(label, [who, x.title, "Value", "Interval", ""], rows);
  }
  /** @param {Series} one @param {number} at */
  const figure = (one, at) => {
    const point = one.points.find(({ x: place }) => place === at);
    return [format(point?.estimate.value), point?.note ? h("div", { class: "conditions" }, point.note) : null];
  };
  const rows = series.map((one) => {
    const cells = x.ticks.map(({ at }) => h("td", { class: "number" }, figure(one, at)));
    return h("tr", {}, h("th", { scope: "row" }, nameOf(one)), cells);
  });
  return frameTable(label, [who, ...x.ticks.map((tick) => tick.label)], rows);
}

/**
 * The figures of a chart, a row for each point.
 * @param {Props} props
 */
export const chartRows = (props) => ({
  heads: ["series", "part", "place", "value", "low", "high", "note"],
  rows: props.series.flatMap((one) =>
    one.points.map(({ x, estimate: { value, low, high }, note }) => [
      one.title,
      one.part,
      placeText(x, props),
      value,
      low,
      high,
      note,
    ]),
  ),
});
