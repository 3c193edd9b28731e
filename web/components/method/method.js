/** "How was this measured?", beside the figures. */

import { h, setText } from "../../js/dom.js";
import { overheadSentences } from "../../js/overhead.js";

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
  [
    "Stream",
    "As fast as possible in one direction, counted where it arrives. With several receivers, the sum over all of them.",
  ],
  [
    "Messages a second",
    "All messages of a trial over all of its timed time; in a round trip, there and back is one. A few pauses of milliseconds take much from this rate and nothing from p50: where p50 promises more than the rate holds, the time went into pauses, which max, gap and run delay tell of.",
  ],
  [
    "Per message",
    "CPU time, switches and system calls of all workers together, over the messages they carried.",
  ],
  [
    "Paced",
    "Round trips begun at a fixed rate, each timed from the moment it was due, so that waiting behind a late one counts. A rate that was not held is said to be.",
  ],
  [
    "Distance",
    "How far apart the two CPUs are, by the time a cache line takes from one to the other, taken before, between and after the blocks of a trial. Nothing is dropped: what was disturbed (by another process, by the hypervisor, by a CPU quota) is kept, and its reason is told.",
  ],
  [
    "Waiting and placement",
    "Sleeping until data comes, or looking again and again; on one CPU, or on two, of different cores if there are such: this decides more than the mechanism does, so it stands beside every figure. Compare like with like.",
  ],
];

/** @param {[string, string]} answer */
const createAnswer = ([term, text]) => [h("dt", {}, term), h("dd", {}, text)];

/**
 * @typedef {object} Props
 * @property {import("../../js/types.js").Overhead|null} overhead
 * @property {readonly import("../../js/types.js").Case[]} cases  that are shown
 * @property {import("../../js/mechanisms.js").Legend} legend
 */

export function createMethod() {
  const cost = h("dd", {});
  const term = h("dt", {}, "Cost of measuring");
  return {
    element: h(
      "details",
      { class: "card method" },
      h("summary", {}, h("h2", {}, "How was this measured?")),
      h("dl", {}, answers.flatMap(createAnswer), term, cost),
    ),
    /** @param {Props} props */
    update({ overhead, cases, legend }) {
      const carriers = cases.filter((one) => !legend.isControl(one.mechanism));
      const text = overheadSentences(overhead, carriers, legend.titleOf).join(" ");
      term.hidden = cost.hidden = text === "";
      setText(cost, text);
    },
  };
}
