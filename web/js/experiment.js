/**
 * An experiment as a form holds it and as the server takes it. Pure.
 * The server alone decides what is valid: odd input is sent as written, so that its answer appears at the field.
 *
 * @typedef {import("./types.js").Experiment} Experiment
 * @typedef {import("./types.js").Pattern} Pattern
 *
 * @typedef {object} Values
 * @property {string} name
 * @property {string[]} mechanisms
 * @property {Pattern[]} patterns
 * @property {Record<Pattern, string>} message_bytes  sizes as typed, separated by commas
 * @property {string} rate_hz  rates as typed, separated by commas; of the pattern paced
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

import { formatBytes, parseBytes, parseCount } from "./format.js";

/**
 * Beside the timed part of a trial, as the server reckons a preset: each worker is started and reaped, and the distance
 * probed around each block.
 */
const start_ms = 8;
const probe_ms = 2;
const block_ms = 50;
const blocks_min = 5;

/** @returns {Values} */
export function defaultValues() {
  return {
    name: "",
    mechanisms: [],
    patterns: ["round_trip", "stream"],
    message_bytes: { round_trip: "64 B", stream: "64 KiB", paced: "64 B" },
    rate_hz: "1k, 5k, 20k, 50k",
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

/** The server's mark on the run it takes by itself in an empty archive. */
const first_run_tag = "first-run";

/**
 * An archived experiment as it can be sent again, in the same order: without the fields that say nothing, and without
 * the mark of a run that nobody asked for.
 * @param {Experiment} experiment
 * @returns {Experiment}
 */
export function sentExperiment({ tags = [], ...rest }) {
  const said = Object.entries({ ...rest, tags: tags.filter((tag) => tag !== first_run_tag) });
  return Object.fromEntries(
    said.filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && value.length === 0)),
  );
}

/**
 * The same experiment for another run: its trials come in an order of their own, or the two would share their luck.
 * @param {Experiment} experiment
 * @returns {Experiment}
 */
export function repeatedExperiment(experiment) {
  const repeated = sentExperiment(experiment);
  delete repeated.seed;
  return repeated;
}

/**
 * The values of a form that starts from an experiment already known.
 * @param {Experiment} experiment
 * @returns {Values}
 */
export function valuesOf(experiment) {
  const values = defaultValues();
  /** @param {unknown} value @param {string} otherwise */
  const text = (value, otherwise) => (value === null || value === undefined ? otherwise : String(value));
  const { wait, message_bytes, rate_hz } = experiment;
  for (const pattern of /** @type {Pattern[]} */ (Object.keys(values.message_bytes))) {
    const sizes = Array.isArray(message_bytes) ? message_bytes : message_bytes?.[pattern];
    if (sizes?.length) values.message_bytes[pattern] = sizes.map(formatBytesExactly).join(", ");
  }
  const rates = [rate_hz ?? []].flat();
  return {
    ...values,
    name: text(experiment.name, ""),
    mechanisms: experiment.mechanisms ?? [],
    patterns: experiment.patterns ?? values.patterns,
    rate_hz: rates.length > 0 ? rates.join(", ") : values.rate_hz,
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
  if (values.patterns.includes("paced"))
    experiment.rate_hz = splitList(values.rate_hz).map((text) => parseCount(text) ?? numberOrText(text));
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
  const of_patterns = (experiment.patterns ?? []).map((pattern) => {
    const of_sizes = Array.isArray(sizes) ? sizes.length : (sizes?.[pattern]?.length ?? 0);
    return pattern === "paced" ? of_sizes * [experiment.rate_hz ?? []].flat().length : of_sizes;
  });
  return (experiment.mechanisms?.length ?? 0) * of_patterns.reduce((sum, count) => sum + count, 0);
}

/** @param {Experiment} experiment @returns {number} */
export function estimateMs(experiment) {
  const [duration_ms, warmup_ms] = [Number(experiment.duration_ms), Number(experiment.warmup_ms)];
  const probes = 1 + Math.max(blocks_min, Math.floor(duration_ms / block_ms));
  const workers = Number(experiment.senders) + Number(experiment.receivers);
  const trial_ms = duration_ms + warmup_ms + start_ms * workers + probe_ms * probes;
  const total = countCases(experiment) * Number(experiment.trials) * trial_ms;
  return Number.isFinite(total) ? total : 0;
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
