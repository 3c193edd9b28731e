/** Latency under load: p50 and p99 over the rate asked for, as far as it was held. */

import { h, setText } from "../../js/dom.js";
import { formatBytes, formatMessageRate, formatNs, formatOfferedRate } from "../../js/format.js";
import { loadPoints } from "../../js/load.js";
import { createChart } from "../chart/chart.js";

/**
 * @typedef {import("../../js/load.js").LoadGroup} LoadGroup
 * @typedef {import("../../js/load.js").LoadLine} LoadLine
 * @typedef {import("../../js/mechanisms.js").Legend} Legend
 */

const explanation =
  "Messages are due at a fixed rate, and each is timed from the moment it was due: a message that waits behind a late " +
  "one is late itself. Where the rate was not held the line stops and the mark is hollow: what is timed there is the " +
  "length of the queue.";

/** @param {LoadGroup} group @param {Legend} legend */
function seriesOf({ lines }, legend) {
  const alike = new Set(lines.map(({ mechanism }) => mechanism)).size === lines.length;
  return lines.flatMap((line) =>
    /** @type {const} */ (["p50", "p99"]).map((quantile) => ({
      key: line.key,
      title: legend.titleOf(line.mechanism),
      look: legend.lookOf(line.mechanism),
      part: quantile,
      dashed: quantile === "p99",
      note: alike ? undefined : line.setting,
      points: loadPoints(line, quantile).map(({ rate_hz, estimate, held, achieved_hz }) => ({
        x: Math.log10(rate_hz),
        estimate,
        apart: !held,
        note: achieved_hz === null ? undefined : `rate not held: ${formatMessageRate(achieved_hz)}`,
      })),
    })),
  );
}

/** @param {AbortSignal} signal */
export function createLoad(signal) {
  const chart = createChart(signal);
  const title = h("h2", {});
  return {
    element: h(
      "section",
      { class: "card load" },
      h(
        "div",
        { class: "card-head" },
        title,
        h("small", { class: "muted" }, "p50 solid, p99 dashed; both axes logarithmic"),
      ),
      chart.element,
      h("p", { class: "muted load-text" }, explanation),
    ),
    /** @param {LoadGroup} group @param {Legend} legend */
    update(group, legend) {
      const what = `Latency under load, ${formatBytes(group.bytes)}`;
      setText(title, what);
      chart.update({
        label: what,
        x: {
          low: Math.log10(group.rates[0]) - 0.15,
          high: Math.log10(group.rates[group.rates.length - 1]) + 0.15,
          ticks: group.rates.map((rate) => ({ at: Math.log10(rate), label: formatOfferedRate(rate) })),
          title: "rate asked for",
        },
        format: formatNs,
        series: seriesOf(group, legend),
      });
    },
  };
}
