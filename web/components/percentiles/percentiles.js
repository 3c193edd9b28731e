/** Latency by percentile: the tail, not only the middle. Lines stop where the samples stop supporting them. */

import { h, setText } from "../../js/dom.js";
import { quantiles, supportedQuantiles } from "../../js/figures.js";
import { formatNs } from "../../js/format.js";
import { conditionsText } from "../../js/words.js";
import { createChart } from "../chart/chart.js";

const max_nines = 3.7;
const edge_nines = 0.15;

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
        x: {
          low: quantiles[0].nines - edge_nines,
          high: max_nines + edge_nines,
          ticks: [...quantiles.map(({ nines, label }) => ({ at: nines, label })), { at: max_nines, label: "max" }],
          title: "",
        },
        format: formatNs,
        series: cases.map((one) => {
          const points = supportedQuantiles(one.latency_ns).map(({ nines, estimate }) => ({
            x: nines,
            estimate,
            apart: false,
          }));
          const max = one.latency_ns?.max;
          if (max) points.push({ x: max_nines, estimate: max, apart: true });
          return {
            key: String(one.number),
            title: legend.titleOf(one.mechanism),
            look: legend.lookOf(one.mechanism),
            note: alike ? undefined : conditionsText(one),
            points,
          };
        }),
      });
    },
  };
}
