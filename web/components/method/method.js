/** "How was this measured?", beside the figures. */

import { h } from "../../js/dom.js";

/** @type {[string, string][]} */
const answers = [
  [
    "Trial",
    "Freshly started processes do one thing for a fixed time. The trial, never the single message, is what the statistics count.",
  ],
  [
    "Warm-up",
    "Each trial first runs untimed, with every byte checked, so that pages, caches and sockets have settled.",
  ],
  [
    "Order",
    "The trials of all cases are interleaved in a shuffled order whose seed is kept, so that a slow minute of the machine hits all alike.",
  ],
  [
    "Figure",
    "The median over the trials. The interval beside it covers the true median with at least 95 % confidence; below 6 trials there is none.",
  ],
  [
    "Round trip",
    "There and back again: a message goes to the other process and its answer returns. Percentiles are shown only as far as enough independent samples support them.",
  ],
  ["Stream", "As fast as possible in one direction, counted where it arrives."],
  [
    "Waiting and placement",
    "Sleeping until data comes, or looking again and again; on one CPU or on two: this decides more than the mechanism does, so it stands beside every figure. Compare like with like.",
  ],
];

/** @param {boolean} [open] */
export function createMethod(open = false) {
  return h(
    "details",
    { class: "card method", open },
    h("summary", {}, h("h2", {}, "How was this measured?")),
    h(
      "dl",
      {},
      answers.flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]),
    ),
  );
}
