/**
 * An experiment as a form holds it and as the server takes it, and what can be said of it before it is sent. Pure.
 * The server alone decides what is valid: odd input is sent as written, so that its answer appears at the field.
 *
 * @typedef {import("./types.js").Experiment} Experiment
 * @typedef {import("./types.js").Mechanism} Mechanism
 *
 * @typedef {object} Values
 * @property {string} name
 * @property {string[]} mechanisms
 * @property {OfferedPattern[]} patterns
 * @property {Record<OfferedPattern, string>} message_bytes  sizes as typed, separated by commas
 * @property {string} trials
 * @property {string} duration_ms
 * @property {string} warmup_ms
 * @property {string} senders
 * @property {string} receivers
 * @property {string} relation
 * @property {string} wait_memory  empty: the server's default
 * @property {string} wait_kernel
 * @property {string} placement
 * @property {string} buffer_bytes
 * @property {string} verify
 * @property {string} seed
 * @property {string} tags
 * @property {string} note
 */

import { formatBytes, parseBytes } from "./format.js";

/**
 * What this version of the workers does; the API's words go further.
 * @typedef {"round_trip"|"stream"} OfferedPattern
 * @type {OfferedPattern[]}
 */
export const patterns = ["round_trip", "stream"];
export const memory_waits = ["spin", "spin_futex", "futex"];
export const kernel_waits = ["block", "poll"];
export const placements = ["two_cpus", "same_cpu", "free"];

/** Between the trials: processes are started, placed and reaped. */
const overhead_ms = 45;

/** @returns {Values} */
export function defaultValues() {
  return {
    name: "",
    mechanisms: [],
    patterns: ["round_trip", "stream"],
    message_bytes: { round_trip: "64 B", stream: "64 KiB" },
    trials: "10",
    duration_ms: "250",
    warmup_ms: "50",
    senders: "1",
    receivers: "1",
    relation: "related",
    wait_memory: "",
    wait_kernel: "",
    placement: "",
    buffer_bytes: "",
    verify: "header",
    seed: "",
    tags: "",
    note: "",
  };
}

/**
 * An archived experiment as it can be sent again: without the fields that say nothing.
 * @param {Experiment} experiment
 * @returns {Experiment}
 */
export const sentExperiment = (experiment) =>
  Object.fromEntries(Object.entries(experiment).filter(([, value]) => value !== null && value !== ""));

/**
 * The values of a form that starts from an experiment already known.
 * @param {Experiment} experiment
 * @returns {Values}
 */
export function valuesOf(experiment) {
  const values = defaultValues();
  /** @param {unknown} value @param {string} otherwise */
  const text = (value, otherwise) => (value === null || value === undefined ? otherwise : String(value));
  const { wait, message_bytes } = experiment;
  for (const pattern of patterns) {
    const sizes = Array.isArray(message_bytes) ? message_bytes : message_bytes?.[pattern];
    if (sizes?.length) values.message_bytes[pattern] = sizes.map(formatBytesExactly).join(", ");
  }
  return {
    ...values,
    name: text(experiment.name, ""),
    mechanisms: experiment.mechanisms ?? [],
    patterns: experiment.patterns
      ? patterns.filter((pattern) => experiment.patterns?.includes(pattern))
      : values.patterns,
    trials: text(experiment.trials, values.trials),
    duration_ms: text(experiment.duration_ms, values.duration_ms),
    warmup_ms: text(experiment.warmup_ms, values.warmup_ms),
    senders: text(experiment.senders, "1"),
    receivers: text(experiment.receivers, "1"),
    relation: text(experiment.relation, values.relation),
    wait_memory: typeof wait === "object" && wait ? text(wait.memory, "") : text(wait, ""),
    wait_kernel: typeof wait === "object" && wait ? text(wait.kernel, "") : "",
    placement: text(experiment.placement, ""),
    buffer_bytes: text(experiment.buffer_bytes, ""),
    verify: text(experiment.verify, values.verify),
    seed: text(experiment.seed, ""),
    tags: (experiment.tags ?? []).join(", "),
    note: text(experiment.note, ""),
  };
}

/** @param {number} bytes  a size that reads back as the same number */
function formatBytesExactly(bytes) {
  const text = formatBytes(bytes);
  return parseBytes(text) === bytes ? text : `${bytes} B`;
}

/** @param {string} text @returns {string[]} */
export const splitList = (text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);

/** @param {string} text @returns {any} */
const numberOrText = (text) => (text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text.trim());

/**
 * @param {Values} values
 * @returns {Experiment}
 */
export function experimentOf(values) {
  /** @type {Experiment} */
  const experiment = {
    mechanisms: values.mechanisms,
    patterns: values.patterns,
    message_bytes: Object.fromEntries(
      values.patterns.map((pattern) => [
        pattern,
        splitList(values.message_bytes[pattern]).map((text) => parseBytes(text) ?? numberOrText(text)),
      ]),
    ),
    trials: numberOrText(values.trials),
    duration_ms: numberOrText(values.duration_ms),
    warmup_ms: numberOrText(values.warmup_ms),
    senders: numberOrText(values.senders),
    receivers: numberOrText(values.receivers),
    relation: /** @type {any} */ (values.relation),
    verify: values.verify,
  };
  if (values.name.trim()) experiment.name = values.name.trim();
  if (values.wait_memory || values.wait_kernel) {
    experiment.wait = {};
    if (values.wait_memory) experiment.wait.memory = values.wait_memory;
    if (values.wait_kernel) experiment.wait.kernel = values.wait_kernel;
  }
  if (values.placement) experiment.placement = values.placement;
  if (values.buffer_bytes.trim())
    experiment.buffer_bytes = parseBytes(values.buffer_bytes) ?? numberOrText(values.buffer_bytes);
  if (values.seed.trim()) experiment.seed = numberOrText(values.seed);
  if (values.tags.trim()) experiment.tags = splitList(values.tags);
  if (values.note.trim()) experiment.note = values.note.trim();
  return experiment;
}

/** @param {Experiment} experiment */
export function countCases(experiment) {
  const sizes = experiment.message_bytes;
  const of_patterns = (experiment.patterns ?? []).map((pattern) =>
    Array.isArray(sizes) ? sizes.length : (sizes?.[pattern]?.length ?? 0),
  );
  return (experiment.mechanisms?.length ?? 0) * of_patterns.reduce((sum, count) => sum + count, 0);
}

/** @param {Experiment} experiment @returns {number} */
export function estimateMs(experiment) {
  const trial_ms = Number(experiment.duration_ms) + Number(experiment.warmup_ms) + overhead_ms;
  const total = countCases(experiment) * Number(experiment.trials) * trial_ms;
  return Number.isFinite(total) ? total : 0;
}

/**
 * What the reader may want to know before the server says so, by the field it concerns.
 * @param {Values} values
 * @param {readonly Mechanism[]} catalogue
 * @returns {Map<string, string>}  pointer → hint
 */
export function hintsOf(values, catalogue) {
  /** @type {Map<string, string>} */
  const hints = new Map();
  const chosen = catalogue.filter((one) => values.mechanisms.includes(one.name));
  /** @param {Mechanism[]} list */
  const names = (list) => list.map((one) => one.title).join(", ");
  if (chosen.length === 0) hints.set("/mechanisms", "Choose at least one mechanism.");
  if (values.patterns.length === 0) hints.set("/patterns", "Choose at least one pattern.");
  if (Number(values.trials) < 6) hints.set("/trials", "Below 6 trials a figure has no interval.");
  for (const pattern of values.patterns) {
    const texts = splitList(values.message_bytes[pattern]);
    const unreadable = texts.filter((text) => parseBytes(text) === null);
    const largest = Math.max(0, ...texts.map((text) => parseBytes(text) ?? 0));
    const too_small = chosen.filter((one) => one.message_bytes_max < largest);
    const pointer = `/message_bytes/${pattern}`;
    if (texts.length === 0) hints.set(pointer, "At least one size, for example 64 or 4 KiB.");
    else if (unreadable.length > 0)
      hints.set(pointer, `Not a size: ${unreadable.join(", ")}. Write 64, 4 KiB or 1 MiB.`);
    else if (too_small.length > 0)
      hints.set(
        pointer,
        `Too large for ${too_small.map((one) => `${one.title} (at most ${formatBytes(one.message_bytes_max)})`).join(", ")}.`,
      );
  }
  const related_only = chosen.filter((one) => one.traits.reach === "related");
  if (values.relation === "unrelated" && related_only.length > 0)
    hints.set("/relation", `Only related processes can share: ${names(related_only)}.`);
  const one_sender = chosen.filter((one) => one.traits.senders === "one");
  if (Number(values.senders) > 1 && one_sender.length > 0)
    hints.set("/senders", `One sender only: ${names(one_sender)}.`);
  const one_receiver = chosen.filter((one) => one.traits.receivers === "one");
  if (Number(values.receivers) > 1 && one_receiver.length > 0)
    hints.set("/receivers", `One receiver only: ${names(one_receiver)}.`);
  if (values.placement === "same_cpu" && values.wait_memory.startsWith("spin")) {
    hints.set("/wait/memory", "On one CPU a spinning process only keeps the other from running: take a futex.");
  }
  return hints;
}

/**
 * The field an error belongs to: the longest known pointer that leads to it.
 * @param {string} pointer  as the server sends it, e.g. /message_bytes/stream/0
 * @param {Iterable<string>} known
 * @returns {string|null}
 */
export function fieldOfPointer(pointer, known) {
  let best = null;
  for (const candidate of known) {
    const leads = pointer === candidate || pointer.startsWith(`${candidate}/`);
    if (leads && candidate.length > (best?.length ?? 0)) best = candidate;
  }
  return best ?? [...known].find((candidate) => candidate.startsWith(`${pointer}/`)) ?? null;
}

/**
 * The same request for a shell.
 * @param {Experiment} experiment
 * @param {string} origin
 */
export function shellCommand(experiment, origin) {
  const body = JSON.stringify(experiment).replaceAll("'", "'\\''");
  return `curl -sS -X POST ${origin}/api/v1/runs \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
}
