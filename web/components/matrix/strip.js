/**
 * One row's latency on the log scale all rows share: a tick at p50, a box to p90, a line to the highest percentile
 * the samples support. Positions are percentages, so that the drawing follows the width of its cell.
 */

import { svg } from "../../js/dom.js";
import { supportedQuantiles } from "../../js/figures.js";
import { formatNs } from "../../js/format.js";

/** @typedef {{low: number, high: number, decades: number[]}} Scale  in powers of ten */

const inset_percent = 3;

/** @param {Scale} scale @param {number} ns */
function place(scale, ns) {
  const part = (Math.log10(ns) - scale.low) / (scale.high - scale.low);
  return inset_percent + Math.min(1, Math.max(0, part)) * (100 - 2 * inset_percent);
}

/** @param {number} percent */
const at = (percent) => `${percent.toFixed(2)}%`;

/** @param {Scale} scale @param {number} height */
const grid = (scale, height) =>
  scale.decades.map((decade) =>
    svg("line", {
      class: "strip-grid",
      x1: at(place(scale, 10 ** decade)),
      x2: at(place(scale, 10 ** decade)),
      y1: 0,
      y2: height,
    }),
  );

/** @param {Scale} scale */
export function createAxis(scale) {
  const last = scale.decades.length - 1;
  const every = scale.decades.length > 4 ? 2 : 1;
  return svg(
    "svg",
    { class: "strip-axis", width: "100%", height: 14, "aria-hidden": "true" },
    scale.decades
      .filter((_, i) => i % every === 0)
      .map((decade, i) =>
        svg(
          "text",
          {
            x: at(place(scale, 10 ** decade)),
            y: 11,
            "text-anchor": i === 0 ? "start" : i * every === last ? "end" : "middle",
          },
          formatNs(10 ** decade).replace(/\.0+(?= )/, ""),
        ),
      ),
  );
}

/**
 * @param {Scale} scale
 * @param {import("../../js/types.js").LatencyQuantiles|null} latency
 */
export function createStrip(scale, latency) {
  const height = 22;
  const middle = height / 2;
  const quantiles = supportedQuantiles(latency);
  const drawing = svg("svg", { class: "strip", width: "100%", height, "aria-hidden": "true" }, grid(scale, height));
  if (quantiles.length === 0) return drawing;
  const [p50, p90] = quantiles.map(({ estimate }) => place(scale, estimate.value));
  const end = place(scale, quantiles[quantiles.length - 1].estimate.value);
  drawing.append(
    svg("line", { class: "strip-line", x1: at(p50), x2: at(end), y1: middle, y2: middle }),
    svg("line", { class: "strip-end", x1: at(end), x2: at(end), y1: middle - 3, y2: middle + 3 }),
  );
  if (p90 !== undefined) {
    drawing.append(
      svg("rect", {
        class: "strip-box",
        x: at(p50),
        y: middle - 6,
        width: at(Math.max(0.1, p90 - p50)),
        height: 12,
        rx: 2,
      }),
    );
  }
  drawing.append(svg("line", { class: "strip-tick", x1: at(p50), x2: at(p50), y1: middle - 9, y2: middle + 9 }));
  return drawing;
}
