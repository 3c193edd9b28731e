/**
 * What the reader of the form may want to know before the server says so, by the field it concerns. Pure. A hint never
 * keeps anything from being sent: the server alone decides.
 *
 * @typedef {import("./types.js").Mechanism} Mechanism
 * @typedef {import("./types.js").Pattern} Pattern
 * @typedef {import("./experiment.js").Values} Values
 *
 * @typedef {object} Circumstances
 * @property {readonly Mechanism[]} catalogue
 * @property {number|null} cpus  that the workers may use; null: not known
 * @property {import("./offers.js").Range} rate_hz
 *
 * @typedef {Circumstances & {values: Values, chosen: Mechanism[]}} Case
 */

import { splitList } from "./experiment.js";
import { formatBytes, formatOfferedRate, parseBytes, parseCount } from "./format.js";

/** Below this a message has no room to name its sender. */
const shared_bytes_min = 16;
const paced_messages_min = 10;

/** @param {Mechanism[]} list */
const titles = (list) => list.map((one) => one.title).join(", ");

/** @param {Values} values */
const workersOf = ({ senders, receivers }) => Number(senders) + Number(receivers);

/** @param {Pattern} pattern @returns {(about: Case) => string|false} */
const sizesHint =
  (pattern) =>
  ({ values, chosen }) => {
    if (!values.patterns.includes(pattern)) return false;
    const texts = splitList(values.message_bytes[pattern]);
    const unreadable = texts.filter((text) => parseBytes(text) === null);
    if (texts.length === 0) return "At least one size, for example 64 or 4 KiB.";
    if (unreadable.length > 0) return `Not a size: ${unreadable.join(", ")}. Write 64, 4 KiB or 1 MiB.`;
    const sizes = texts.map((text) => parseBytes(text) ?? 0);
    const exceeded = chosen.filter((one) => one.message_bytes_max < Math.max(...sizes));
    if (exceeded.length > 0)
      return `Too large for ${exceeded.map((one) => `${one.title} (at most ${formatBytes(one.message_bytes_max)} here)`).join(", ")}.`;
    return (
      workersOf(values) > 2 &&
      Math.min(...sizes) < shared_bytes_min &&
      `With several senders or receivers a message names its sender, and has at least ${shared_bytes_min} B.`
    );
  };

/** @param {Case} about */
function ratesHint({ values, rate_hz: { min, max } }) {
  if (!values.patterns.includes("paced")) return false;
  const texts = splitList(values.rate_hz);
  const unreadable = texts.filter((text) => parseCount(text) === null);
  if (texts.length === 0) return "At least one rate, for example 5000 or 20k.";
  if (unreadable.length > 0) return `Not a rate: ${unreadable.join(", ")}. Write 5000, 20k or 1M.`;
  const outside = texts.filter((text) => Number(parseCount(text)) < min || Number(parseCount(text)) > max);
  if (outside.length > 0)
    return `From ${formatOfferedRate(min)} to ${formatOfferedRate(max)}; outside of it: ${outside.join(", ")}.`;
  const slow = texts.filter(
    (text) => (Number(parseCount(text)) * Number(values.duration_ms)) / 1000 < paced_messages_min,
  );
  return (
    slow.length > 0 &&
    `A trial has to hold ${paced_messages_min} messages; at ${slow.join(", ")} a second it has to be longer.`
  );
}

/** @param {"senders"|"receivers"} side @param {string} name @returns {(about: Case) => string|false} */
const sideHint =
  (side, name) =>
  ({ values, chosen }) => {
    if (!(Number(values[side]) > 1)) return false;
    const one_only = chosen.filter((one) => one.traits[side] === "one");
    if (one_only.length > 0) return `One ${name} only: ${titles(one_only)}.`;
    return (
      values.patterns.join() !== "stream" &&
      `Several ${side} only stream: a round trip is between one sender and one receiver. Choose the pattern stream alone.`
    );
  };

/**
 * @param {boolean} synchronises
 * @param {string} wait
 * @param {Mechanism[]} chosen
 */
function unfitHint(synchronises, wait, chosen) {
  const unfit = chosen.filter((one) => one.traits.synchronises === synchronises && !one.waits.includes(wait));
  return wait !== "" && unfit.length > 0 && `Cannot wait like this: ${titles(unfit)}.`;
}

/** @param {Case} about */
function memoryWaitHint({ values, chosen, cpus }) {
  const spins = values.wait_memory.startsWith("spin");
  if (values.placement === "same_cpu" && spins)
    return "On one CPU a spinning process only keeps the other from running: take a futex.";
  if (cpus !== null && spins && workersOf(values) > cpus)
    return `${workersOf(values)} workers on ${cpus} CPUs: who spins keeps the others from running. Take a futex or a semaphore.`;
  return unfitHint(false, values.wait_memory, chosen);
}

/** @param {Case} about */
function kernelWaitHint({ values, chosen, cpus }) {
  const crowded = values.placement === "same_cpu" || (cpus !== null && workersOf(values) > cpus);
  if (values.wait_kernel === "poll" && crowded)
    return "More workers than CPUs: who polls keeps the others from running. Take blocking calls.";
  return unfitHint(true, values.wait_kernel, chosen);
}

/**
 * The first hint that applies stands at its field.
 * @type {[string, (about: Case) => string|false][]}
 */
const rules = [
  ["/mechanisms", ({ chosen }) => chosen.length === 0 && "Choose at least one mechanism."],
  ["/patterns", ({ values }) => values.patterns.length === 0 && "Choose at least one pattern."],
  ["/trials", ({ values }) => Number(values.trials) < 6 && "Below 6 trials a figure has no interval."],
  ["/message_bytes/round_trip", sizesHint("round_trip")],
  ["/message_bytes/stream", sizesHint("stream")],
  ["/message_bytes/paced", sizesHint("paced")],
  ["/rate_hz", ratesHint],
  [
    "/relation",
    ({ values, chosen }) => {
      const related_only = chosen.filter((one) => one.traits.reach === "related");
      const refused = values.relation === "unrelated" && related_only.length > 0;
      return refused && `Only related processes can share: ${titles(related_only)}.`;
    },
  ],
  ["/senders", sideHint("senders", "sender")],
  ["/receivers", sideHint("receivers", "receiver")],
  ["/wait/memory", memoryWaitHint],
  ["/wait/kernel", kernelWaitHint],
];

/**
 * @param {Values} values
 * @param {Circumstances} circumstances
 * @returns {Map<string, string>}  pointer → hint
 */
export function hintsOf(values, circumstances) {
  const chosen = circumstances.catalogue.filter((one) => values.mechanisms.includes(one.name));
  /** @type {Map<string, string>} */
  const hints = new Map();
  for (const [pointer, hintOf] of rules) {
    const hint = hintOf({ ...circumstances, values, chosen });
    if (hint && !hints.has(pointer)) hints.set(pointer, hint);
  }
  return hints;
}
