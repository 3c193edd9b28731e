/** Throughput of streams: bars for one size, lines over several. */

import { h, setChildren } from "../../js/dom.js";
import { formatByteRate, formatBytes, formatInterval } from "../../js/format.js";
import { conditionsText } from "../../js/words.js";
import { createChart } from "../chart/chart.js";
import { createName } from "../marker/marker.js";

/**
 * @typedef {import("../../js/types.js").Case} Case
 * @typedef {import("../../js/mechanisms.js").Legend} Legend
 */

/** @param {Case} one */
const seriesKey = (one) => [one.mechanism, conditionsText(one)].join(" ");

/**
 * @param {readonly Case[]} cases
 * @param {Legend} legend
 */
function createBars(cases, legend) {
  const fastest = Math.max(...cases.map((one) => one.bytes_per_s?.high ?? one.bytes_per_s?.value ?? 0));
  const sorted = [...cases].sort((a, b) => (b.bytes_per_s?.value ?? 0) - (a.bytes_per_s?.value ?? 0));
  return h(
    "table",
    { class: "bars" },
    h("caption", { class: "visually-hidden" }, "Throughput by mechanism"),
    h(
      "tbody",
      {},
      sorted.map((one) => {
        const look = legend.lookOf(one.mechanism);
        const fill = h("div", { class: "bar-fill" });
        const whisker = h("div", { class: "bar-whisker" });
        const { value, low, high } = one.bytes_per_s ?? { value: 0, low: null, high: null };
        fill.style.width = `${(100 * value) / fastest}%`;
        whisker.hidden = low === null || high === null;
        whisker.style.left = `${(100 * (low ?? 0)) / fastest}%`;
        whisker.style.width = `${(100 * ((high ?? 0) - (low ?? 0))) / fastest}%`;
        return h(
          "tr",
          { "data-hue": look?.hue, "data-shade": look?.shade },
          h(
            "th",
            { scope: "row" },
            createName(look, legend.titleOf(one.mechanism)),
            h("div", { class: "conditions" }, conditionsText(one)),
          ),
          h("td", { class: "bars-cell" }, h("div", { class: "bars-track" }, fill, whisker)),
          h(
            "td",
            { class: "number" },
            h("a", { class: "figure", href: `#case-${one.number}` }, formatByteRate(value)),
            h("div", { class: "conditions" }, formatInterval(one.bytes_per_s, formatByteRate)),
          ),
        );
      }),
    ),
  );
}

/** @param {AbortSignal} signal */
export function createThroughput(signal) {
  const chart = createChart(signal);
  const bars = h("div", {});
  const title = h("h2", {});
  const element = h(
    "section",
    { class: "card" },
    h("div", { class: "card-head" }, title, h("small", { class: "muted" }, "counted at the receiver")),
    bars,
    chart.element,
  );
  return {
    element,
    /** @param {readonly Case[]} cases  streams that were measured @param {Legend} legend */
    update(cases, legend) {
      const sizes = [...new Set(cases.map((one) => one.message_bytes))].sort((a, b) => a - b);
      bars.hidden = sizes.length > 1;
      chart.element.hidden = sizes.length <= 1;
      if (sizes.length <= 1) {
        setChildren(title, `Throughput${sizes.length ? `, ${formatBytes(sizes[0])} messages` : ""}`);
        setChildren(bars, createBars(cases, legend));
        return;
      }
      setChildren(title, "Throughput by message size");
      const keys = [...new Set(cases.map(seriesKey))];
      const alike = keys.length === new Set(cases.map((one) => one.mechanism)).size;
      chart.update({
        label: "Throughput by message size",
        x: {
          low: Math.log2(sizes[0]) - 0.4,
          high: Math.log2(sizes[sizes.length - 1]) + 0.4,
          ticks: sizes.map((bytes) => ({ at: Math.log2(bytes), label: formatBytes(bytes) })),
          title: "message size",
        },
        format: formatByteRate,
        series: keys.map((key) => {
          const own = cases.filter((one) => seriesKey(one) === key).sort((a, b) => a.message_bytes - b.message_bytes);
          return {
            key,
            title: legend.titleOf(own[0].mechanism),
            look: legend.lookOf(own[0].mechanism),
            note: alike ? undefined : conditionsText(own[0]),
            points: own.flatMap((one) =>
              one.bytes_per_s ? [{ x: Math.log2(one.message_bytes), estimate: one.bytes_per_s }] : [],
            ),
          };
        }),
      });
    },
  };
}
