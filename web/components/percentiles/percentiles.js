/** Latency by percentile: the tail, not only the middle. Lines stop where the samples stop supporting them. */

import { h, setText } from "../../js/dom.js";
import { percentile_axis, percentilePoints } from "../../js/figures.js";
import { formatNs } from "../../js/format.js";
import { conditionsText } from "../../js/words.js";
import { createChart } from "../chart/chart.js";

/** @typedef {import("../../js/types.js").Case} Case */

/** @param {AbortSignal} signal */
export function createPercentiles(signal) {
  const chart = createChart(signal);
  const title = h("h2", {});
  const element = h(
    "section",
    { class: "card" },
    h(
      "div",
      { class: "card-head" },
      title,
      h("small", { class: "muted" }, "x in nines, y logarithmic; max stands apart"),
    ),
    chart.element,
  );
  return {
    element,
    /**
     * @param {readonly Case[]} cases  of one pattern and size
     * @param {string} what  e.g. 64 B round trip
     * @param {import("../../js/mechanisms.js").Legend} legend
     */
    update(cases, what, legend) {
      setText(title, `Latency by percentile, ${what}`);
      const alike = new Set(cases.map((one) => one.mechanism)).size === cases.length;
      chart.update({
        label: `Latency by percentile, ${what}`,
        x: percentile_axis,
        format: formatNs,
        series: cases.map((one) => ({
          key: String(one.number),
          title: legend.titleOf(one.mechanism),
          look: legend.lookOf(one.mechanism),
          note: alike ? undefined : conditionsText(one),
          points: percentilePoints(one.latency_ns),
        })),
      });
    },
  };
}
