/**
 * What every chart has around its drawing: it is drawn at the width it has, so that its text keeps its size; a keyboard
 * cursor; the same figures as a table; and both as files.
 */

import { csvText } from "../../js/csv.js";
import { h, setAttribute, setChildren } from "../../js/dom.js";
import { saveText, svgText } from "../../js/download.js";
import { navigate } from "../../js/router.js";
import { createCursor } from "./cursor.js";

const width_px_min = 260;

/**
 * @typedef {object} Drawn
 * @property {SVGSVGElement} drawing
 * @property {SVGGElement[][]} points  by line, for the cursor
 *
 * @typedef {object} Content
 * @property {string} label
 * @property {(width: number) => Drawn} draw
 * @property {() => HTMLElement} table
 * @property {() => {heads: string[], rows: (string|number|null|undefined)[][]}} figures
 */

/** @param {string} label */
const fileName = (label) =>
  `ipclab-${label
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")}`;

/** @param {AbortSignal} signal */
export function createFrame(signal) {
  const plot = h("div", { class: "chart-plot" });
  const legend = h("ul", { class: "chart-legend" });
  const twin = h("div", { class: "scroll-x", role: "region", tabindex: "0" });
  const cursor = createCursor(plot);
  /** @type {Content|null} */
  let content = null;
  let width = 0;

  function redraw() {
    if (!content || width === 0) return;
    const focused = plot.contains(document.activeElement);
    const { drawing, points } = content.draw(width);
    setChildren(plot, drawing);
    cursor.follow(
      points.filter((line) => line.length > 0),
      focused,
    );
  }

  const observer = new ResizeObserver(([entry]) => {
    const now = Math.max(width_px_min, Math.floor(entry.contentRect.width));
    if (entry.contentRect.width === 0 || now === width) return;
    width = now;
    redraw();
  });
  observer.observe(plot);
  signal.addEventListener("abort", () => observer.disconnect());

  /** @param {Event} event */
  const follow = (event) => {
    const point = event.target instanceof Element ? event.target.closest("[data-href]") : null;
    const pressed = event instanceof KeyboardEvent ? event.key === "Enter" : true;
    if (point && pressed) navigate(point.getAttribute("data-href") ?? "");
  };
  plot.addEventListener("click", follow);
  plot.addEventListener("keydown", follow);

  /** @param {string} text @param {string} title @param {() => void} save */
  const createFile = (text, title, save) =>
    h("button", { type: "button", class: "small quiet", "aria-label": title, title, onclick: save }, text);
  const files = h(
    "div",
    { class: "chart-files no-print" },
    createFile("SVG", "This chart as SVG", () => {
      const drawing = plot.querySelector("svg");
      if (content && drawing) saveText(`${fileName(content.label)}.svg`, "image/svg+xml", svgText(drawing));
    }),
    createFile("CSV", "This chart's figures as CSV", () => {
      if (!content) return;
      const { heads, rows } = content.figures();
      saveText(`${fileName(content.label)}.csv`, "text/csv", csvText(heads, rows));
    }),
  );

  return {
    element: h(
      "div",
      { class: "chart" },
      plot,
      legend,
      h(
        "div",
        { class: "chart-foot" },
        h("details", { class: "chart-twin" }, h("summary", {}, "The same as a table"), twin),
        files,
      ),
    ),
    plot,
    legend,
    /** @param {Content} now */
    show(now) {
      content = now;
      setAttribute(twin, "aria-label", `Figures: ${now.label}`);
      setChildren(twin, now.table());
      redraw();
    },
  };
}
