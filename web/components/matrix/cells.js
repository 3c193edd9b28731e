/** What a cell of the matrix says: traits in words and dots, figures with their conditions and their source. */

import { h } from "../../js/dom.js";
import {
  formatByteRate,
  formatBytes,
  formatInterval,
  formatMessageRate,
  formatNs,
  formatPlural,
  formatShare,
} from "../../js/format.js";
import { supportedQuantiles } from "../../js/figures.js";
import { conditionsText, flagName, patternText } from "../../js/words.js";

/** @typedef {import("../../js/figures.js").Figure} Figure */

const reaches = /** @type {const} */ (["related", "host", "network"]);
const reach_texts = {
  related: "only between processes of one family",
  host: "between any processes of this machine",
  network: "between machines, too",
};

/** @param {import("../../js/types.js").Traits} traits */
export function createReach({ reach }) {
  const rank = reaches.indexOf(reach);
  return h(
    "span",
    { class: "reach", title: reach_texts[reach] },
    reaches.map((_, i) => h("span", { class: i <= rank ? "dot full" : "dot", "aria-hidden": "true" })),
    h("span", { class: "visually-hidden" }, reach_texts[reach]),
  );
}

/** @param {import("../../js/types.js").Traits} traits */
export const directionText = ({ direction }) => (direction === "two_way" ? "two-way" : "one-way");

/** @param {import("../../js/types.js").Traits} traits */
export const endsText = ({ senders, receivers }) => `${senders} → ${receivers}`;

/** @param {Figure} figure */
export const figureHref = ({ run, case: one }) => `/runs/${run.id}#case-${one.number}`;

/** @param {Figure} figure */
export const isMeasured = ({ case: one }) => Boolean(one.pattern === "stream" ? one.bytes_per_s : one.latency_ns?.p50);

/** @param {import("../../js/types.js").MaybeEstimate} estimate */
const hasInterval = (estimate) => estimate?.low !== null && estimate?.low !== undefined;

/**
 * What stands behind a figure: interval, percentiles, trials, source.
 * @param {string} title
 * @param {Figure} figure
 */
export function describeFigure(title, { run, case: one }) {
  /** @type {[string, import("../../js/types.js").MaybeEstimate, (value: number|null|undefined) => string][]} */
  const rows =
    one.pattern === "stream"
      ? [
          ["rate", one.bytes_per_s, formatByteRate],
          ["messages", one.messages_per_s, formatMessageRate],
        ]
      : supportedQuantiles(one.latency_ns).map(({ label, estimate }) => [label, estimate, formatNs]);
  return [
    h("strong", {}, `${title}, ${formatBytes(one.message_bytes)} ${patternText(one.pattern)}`),
    h(
      "dl",
      {},
      rows.flatMap(([label, estimate, format]) => [
        h("dt", {}, label),
        h("dd", {}, format(estimate?.value)),
        h("dd", {}, hasInterval(estimate) ? formatInterval(estimate, format) : ""),
      ]),
    ),
    h(
      "p",
      {},
      `${rows.some(([, estimate]) => hasInterval(estimate)) ? "median and 95 % interval" : "median"} of n = ${formatPlural(one.trials, "trial")}${one.failed ? `, ${one.failed} failed` : ""}`,
    ),
    h("p", {}, conditionsText(one)),
    one.overhead_share !== null && h("p", {}, `about ${formatShare(one.overhead_share)} of it is the measuring`),
    one.flags.length > 0 && h("p", {}, `flags: ${one.flags.map(flagName).join(", ")}`),
    h("p", {}, `from run ${run.id}${run.name ? `, ${run.name}` : ""}`),
  ];
}
