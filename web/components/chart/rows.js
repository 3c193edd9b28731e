/**
 * A chart of rows on one shared axis: a value with its interval, the trials behind it as dots, a figure and a word at
 * the end of the row. Rows may stand under heads. On a narrow page the name stands above its row.
 *
 * @typedef {object} Mark
 * @property {number|null} value  null: nothing to show
 * @property {number|null} low
 * @property {number|null} high
 * @property {boolean} [hollow]
 * @property {{value: number, hollow: boolean}[]} [dots]
 *
 * @typedef {object} Row
 * @property {string} key
 * @property {string} title
 * @property {string} [part]  which of the rows of one title
 * @property {import("../../js/mechanisms.js").Look} look
 * @property {Mark[]} marks
 * @property {string} figure
 * @property {string} word
 * @property {string} tone
 * @property {string} told  all of it in words
 * @property {(string|number|null)[]} cells  of the table twin, after the name
 *
 * @typedef {object} Group
 * @property {string} title  none: no head
 * @property {Row[]} rows
 * @property {{low: number, high: number}} [band]  shaded behind the rows
 *
 * @typedef {object} Props
 * @property {string} label
 * @property {Group[]} groups
 * @property {import("../../js/axes.js").ValueAxis} axis
 * @property {(value: number) => string} format  of the ticks
 * @property {string[]} heads  of the table twin
 */

import { h, setAttribute, svg } from "../../js/dom.js";
import { markerPath } from "../../js/mechanisms.js";
import { attachTip } from "../tip/tip.js";
import { drawText, shortText } from "./draw.js";
import { createFrame } from "./frame.js";

const row_px = 30;
const head_px = 34;
const axis_px = 34;
const narrow_px = 620;
/** On a narrow page, above the marks: the name, and the figure below it. */
const narrow_text_px = 30;
/** Labels of the axis stand at least so far apart. */
const tick_px = 38;
const mark_px = 5;
const dot_px = 2.2;
/** Between the lines of a row that has several marks. */
const apart_px = 9;

/** What the figure and the word at the end of a row need. @param {Group[]} groups */
const figureWidth = (groups) =>
  Math.max(
    150,
    ...groups.flatMap(({ rows }) => rows.map(({ figure, word }) => 40 + 8.6 * figure.length + 6.6 * word.length)),
  );

/** @param {Props} props @param {number} width */
function createLayout({ axis, groups }, width) {
  const narrow = width < narrow_px;
  const longest = Math.max(
    ...groups.flatMap(({ rows }) => rows.map(({ title, part }) => title.length + (part?.length ?? 0))),
    0,
  );
  const left = narrow ? 30 : Math.min(290, 44 + 7.2 * longest);
  const right = width - (narrow ? 30 : figureWidth(groups));
  const place = axis.log ? Math.log : (/** @type {number} */ value) => value;
  const [low, high] = [place(axis.low), place(axis.high)];
  return {
    narrow,
    left,
    right,
    row: narrow ? row_px + narrow_text_px : row_px,
    width,
    /** @param {number} value  beyond the axis it stands at its end */
    x: (value) =>
      left + ((place(Math.min(Math.max(value, axis.low), axis.high)) - low) / (high - low || 1)) * (right - left),
    /** @param {number} value */
    isInside: (value) => value >= axis.low && value <= axis.high,
  };
}

/** @typedef {ReturnType<typeof createLayout>} Layout */

/** @param {Mark} mark @param {Row} row @param {number} y @param {Layout} layout */
function drawMark({ value, low, high, hollow, dots = [] }, row, y, layout) {
  if (value === null) return [];
  const [from, to] = [layout.x(low ?? value), layout.x(high ?? value)];
  // The base's dots above the line, the other's below: where they lie upon each other both can still be seen.
  const trials = dots
    .filter((dot) => layout.isInside(dot.value))
    .map((dot) =>
      svg("circle", {
        class: dot.hollow ? "row-dot hollow" : "row-dot",
        cx: layout.x(dot.value).toFixed(1),
        cy: y + (dot.hollow ? -8 : 8),
        r: dot_px,
      }),
    );
  const interval = low !== null && svg("line", { class: "row-interval", x1: from, x2: to, y1: y, y2: y });
  // An interval that goes on beyond the axis ends in an arrow.
  const beyond = [
    low !== null && !layout.isInside(low) && `M${from + 5} ${y - 4}L${from} ${y}L${from + 5} ${y + 4}`,
    high !== null && !layout.isInside(high) && `M${to - 5} ${y - 4}L${to} ${y}L${to - 5} ${y + 4}`,
  ].map((d) => d && svg("path", { class: "row-beyond", d }));
  const point = svg("path", {
    class: hollow ? "row-mark hollow" : "row-mark",
    d: markerPath(row.look.shape, layout.x(value), y, mark_px),
  });
  return [...trials, interval, ...beyond, point];
}

/** @param {Row} row @param {number} top @param {Layout} layout */
function drawRow(row, top, layout) {
  const y = top + layout.row - row_px / 2;
  const text_y = layout.narrow ? top + 12 : y + 4;
  const spread = Math.min(apart_px, (row_px - 8) / Math.max(1, row.marks.length - 1));
  const name = row.part ? `${row.title} ${row.part}` : row.title;
  const group = svg(
    "g",
    {
      class: "chart-point row",
      role: "img",
      "aria-label": `${name}: ${row.told}`,
      tabindex: -1,
      "data-hue": row.look.hue,
      "data-shade": row.look.shade,
    },
    svg("rect", { class: "chart-hit", x: 1, y: top + 1, width: layout.width - 2, height: layout.row - 2, rx: 4 }),
    svg("path", { class: "row-mark", d: markerPath(row.look.shape, 9, text_y - 4, 4.6) }),
    svg(
      "text",
      { class: "row-name", x: 22, y: text_y },
      row.title,
      row.part && svg("tspan", { class: "row-part", dx: 7 }, row.part),
    ),
    row.marks.flatMap((mark, i) => drawMark(mark, row, y + (i - (row.marks.length - 1) / 2) * spread, layout)),
    svg(
      "text",
      layout.narrow
        ? { class: "row-figure", x: 22, y: text_y + 17 }
        : { class: "row-figure", x: layout.right + 18, y: text_y },
      row.figure,
      svg("tspan", { class: `row-word ${row.tone}`, dx: 9 }, row.word),
    ),
  );
  attachTip(group, () => [h("strong", {}, name), row.told]);
  return group;
}

/** @param {{low: number, high: number}} band @param {number} y @param {number} height @param {Layout} layout */
const drawBand = ({ low, high }, y, height, layout) =>
  svg("rect", { class: "row-band", x: layout.x(low), width: Math.max(1, layout.x(high) - layout.x(low)), y, height });

/** @param {Props} props @param {number} width */
function draw(props, width) {
  const layout = createLayout(props, width);
  let y = 22;
  const shades = [];
  /** @type {SVGElement[]} */
  const drawn = [];
  for (const { title, rows, band } of props.groups) {
    if (title) drawn.push(drawText("row-head", 0, y + head_px - 12, "start", title));
    if (title) y += head_px;
    if (band) shades.push(drawBand(band, y, rows.length * layout.row, layout));
    for (const row of rows) {
      drawn.push(drawRow(row, y, layout));
      y += layout.row;
    }
  }
  const bottom = y + 4;
  let last_x = -Infinity;
  const grid = props.axis.ticks.flatMap((tick) => {
    const x = layout.x(tick);
    const line = svg("line", { x1: x, x2: x, y1: 18, y2: bottom });
    const fits = x - last_x >= tick_px;
    if (fits) last_x = x;
    // Long lists are read from both ends.
    const labels = (fits ? [12, bottom + 16] : []).map((at) =>
      drawText("", x, at, "middle", shortText(props.format(tick))),
    );
    return svg("g", { class: "chart-grid" }, line, labels);
  });
  const height = bottom + axis_px;
  const label = `${props.label}. Up and down keys move from row to row.`;
  const attributes = { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label };
  const points = drawn.filter((one) => one.classList.contains("row"));
  return {
    drawing: svg("svg", attributes, shades, grid, drawn),
    points: points.map((one) => [/** @type {SVGGElement} */ (one)]),
  };
}

/** @param {Props} props */
function createTable({ label, groups, heads }) {
  const rows = groups.flatMap(({ title, rows: own }) =>
    own.map((row) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, row.part ? `${row.title} ${row.part}` : row.title),
        title && h("td", {}, title),
        row.cells.map((cell) => h("td", { class: "number" }, cell ?? "–")),
      ),
    ),
  );
  const all = groups.some(({ title }) => title) ? ["Mechanism", "Case", ...heads] : ["Mechanism", ...heads];
  return h(
    "table",
    { class: "data-table" },
    h("caption", { class: "visually-hidden" }, label),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        all.map((head) => h("th", { scope: "col", class: heads.includes(head) ? "number" : null }, head)),
      ),
    ),
    h("tbody", {}, rows),
  );
}

/** @param {AbortSignal} signal */
export function createRowChart(signal) {
  const frame = createFrame(signal);
  frame.element.classList.add("row-chart");
  frame.legend.remove();
  let shown = "";
  return {
    element: frame.element,
    /** @param {Props} props */
    update(props) {
      const now = JSON.stringify(props);
      if (now === shown) return;
      shown = now;
      setAttribute(
        frame.plot,
        "data-rows",
        props.groups.reduce((sum, { rows }) => sum + rows.length, 0),
      );
      frame.show({
        label: props.label,
        draw: (width) => draw(props, width),
        table: () => createTable(props),
        figures: () => ({
          heads: ["mechanism", "part", "case", ...props.heads],
          rows: props.groups.flatMap(({ title, rows }) =>
            rows.map((row) => [row.title, row.part, title, ...row.cells]),
          ),
        }),
      });
    },
  };
}
