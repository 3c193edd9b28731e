/**
 * Which measured figure stands in which cell of the matrix. Pure.
 *
 * @typedef {import("./types.js").Run} Run
 * @typedef {import("./types.js").Case} Case
 * @typedef {{run: Run, case: Case}} Figure
 *
 * @typedef {object} Choice  what the reader asked to see; null: whatever there is
 * @property {number} round_trip_bytes
 * @property {number} stream_bytes
 * @property {string|null} placement
 * @property {string|null} wait
 *
 * @typedef {{round_trip_bytes: number[], stream_bytes: number[], placement: string[], wait: string[]}} Options
 */

import { isOver } from "./words.js";

const usual_bytes = { round_trip: 64, stream: 65536 };
const placement_order = ["two_cpus", "same_cpu", "free"];
const wait_order = ["spin_futex", "block"];

/** @param {readonly string[]} order @param {string} value */
const rankIn = (order, value) => (order.includes(value) ? order.indexOf(value) : order.length);

/**
 * The run followed first, then finished ones from the newest, then those that were stopped or failed.
 * @param {ReadonlyMap<number, Run>} runs
 * @param {number|null} followed
 * @returns {Run[]}
 */
export function runsByPreference(runs, followed) {
  /** @param {Run} run */
  const rank = (run) => (run.id === followed ? 0 : run.state === "done" ? 1 : 2);
  return [...runs.values()]
    .filter((run) => !run.deleted && (run.id === followed || isOver(run.state)))
    .sort((a, b) => rank(a) - rank(b) || b.id - a.id);
}

/**
 * The runs whose results are worth reading for the matrix: each one adds a mechanism, a pattern, a size, a placement
 * or a way of waiting that no better one has.
 * @param {ReadonlyMap<number, Run>} runs
 * @param {number|null} followed
 * @param {number} most
 * @returns {Run[]}
 */
export function runsToRead(runs, followed, most) {
  const seen = new Set();
  return runsByPreference(runs, followed)
    .filter((run) => {
      const before = seen.size;
      for (const key of offersOf(run)) seen.add(key);
      return seen.size > before || run.id === followed;
    })
    .slice(0, most);
}

/**
 * What a run says it measured, as texts that are equal for equal conditions.
 * @param {Run} run
 * @returns {string[]}
 */
function offersOf({ experiment }) {
  const { mechanisms = [], patterns = [], message_bytes, placement = "", wait = "" } = experiment;
  return patterns.flatMap((pattern) => {
    const sizes = (Array.isArray(message_bytes) ? message_bytes : message_bytes?.[pattern]) ?? [];
    return mechanisms.flatMap((mechanism) =>
      sizes.map((bytes) => JSON.stringify([mechanism, pattern, bytes, placement, wait])),
    );
  });
}

/**
 * Every case the matrix has a column for and that has something to say, the best source first: the run followed, then whatever was taken under the usual
 * conditions, so that the figures of a column compare, and then the latest.
 * @param {ReadonlyMap<number, Run>} runs
 * @param {ReadonlyMap<number, readonly Case[]>} results
 * @param {number|null} followed
 * @returns {Figure[]}
 */
export function collectFigures(runs, results, followed) {
  /** @param {Figure} figure */
  const isFollowed = ({ run }) => Number(run.id === followed);
  return runsByPreference(runs, followed)
    .flatMap((run) => (results.get(run.id) ?? []).map((one) => ({ run, case: one })))
    .filter(({ case: one }) => one.pattern !== "paced" && (one.trials > 0 || one.failed > 0))
    .sort((a, b) => isFollowed(b) - isFollowed(a) || usualness(a.case) - usualness(b.case));
}

/** @param {Case} one */
function usualness(one) {
  return (
    rankIn(placement_order, one.placement) * 100 +
    (one.senders + one.receivers - 2) * 10 +
    (one.relation === "unrelated" ? 5 : 0) +
    rankIn(wait_order, one.wait ?? "block")
  );
}

/**
 * What the figures leave to choose.
 * @param {readonly Figure[]} figures
 * @returns {Options}
 */
export function optionsOf(figures) {
  /** @template T @param {(one: Case) => T|null} value @returns {T[]} */
  const distinct = (value) => [...new Set(figures.map((figure) => value(figure.case)).filter((one) => one !== null))];
  // Memory and kernel wait in different ways by nature; a choice is only what one mechanism was measured with.
  /** @type {Map<string, Set<string|null>>} */
  const waits = new Map();
  for (const { case: one } of figures) waits.set(one.mechanism, (waits.get(one.mechanism) ?? new Set()).add(one.wait));
  /** @param {"round_trip"|"stream"} pattern */
  const sizes = (pattern) =>
    distinct((one) => (one.pattern === pattern ? one.message_bytes : null)).sort((a, b) => a - b);
  return {
    round_trip_bytes: sizes("round_trip"),
    stream_bytes: sizes("stream"),
    placement: distinct((one) => one.placement).sort((a, b) => rankIn(placement_order, a) - rankIn(placement_order, b)),
    wait: distinct((one) => ((waits.get(one.mechanism)?.size ?? 0) > 1 ? one.wait : null)).sort(),
  };
}

/**
 * The reader's choice where the address holds one that exists; else the usual sizes, unless the run followed has others.
 * @param {readonly Figure[]} figures
 * @param {Options} options
 * @param {number|null} followed
 * @param {URLSearchParams} query
 * @returns {Choice}
 */
export function choiceOf(figures, options, followed, query) {
  /** @param {"round_trip"|"stream"} pattern @param {"round_trip_bytes"|"stream_bytes"} name */
  const bytes = (pattern, name) => {
    const asked = Number(query.get(name));
    if (options[name].includes(asked)) return asked;
    const own = figures
      .filter(({ run, case: one }) => run.id === followed && one.pattern === pattern)
      .map((figure) => figure.case.message_bytes);
    if (own.length > 0 && !own.includes(usual_bytes[pattern])) return Math.min(...own);
    return options[name].length === 0 || options[name].includes(usual_bytes[pattern])
      ? usual_bytes[pattern]
      : options[name][0];
  };
  /** @param {"placement"|"wait"} name */
  const text = (name) => {
    const asked = query.get(name);
    return asked !== null && options[name].includes(asked) ? asked : null;
  };
  return {
    round_trip_bytes: bytes("round_trip", "round_trip_bytes"),
    stream_bytes: bytes("stream", "stream_bytes"),
    placement: text("placement"),
    wait: text("wait"),
  };
}

/**
 * The figure of one cell. A chosen way of waiting decides between a mechanism's figures; one that was never measured
 * that way keeps what it has.
 * @param {readonly Figure[]} figures
 * @param {string} mechanism
 * @param {"round_trip"|"stream"} pattern
 * @param {Choice} choice
 * @returns {Figure|null}
 */
export function pickFigure(figures, mechanism, pattern, choice) {
  const bytes = pattern === "round_trip" ? choice.round_trip_bytes : choice.stream_bytes;
  const fitting = figures.filter(
    ({ case: one }) =>
      one.mechanism === mechanism &&
      one.pattern === pattern &&
      one.message_bytes === bytes &&
      (choice.placement === null || one.placement === choice.placement),
  );
  return fitting.find((figure) => figure.case.wait === choice.wait) ?? fitting[0] ?? null;
}

/**
 * The supported quantiles of a case, ascending, with their place on an axis in nines (p90 is 1, p99 is 2 …).
 * @param {import("./types.js").LatencyQuantiles|null|undefined} latency
 * @returns {{name: "p50"|"p90"|"p99"|"p999", label: string, nines: number, estimate: import("./types.js").Estimate}[]}
 */
export function supportedQuantiles(latency) {
  const found = [];
  for (const { name, label, nines } of quantiles) {
    const estimate = latency?.[name];
    if (!estimate) break;
    found.push({ name, label, nines, estimate });
  }
  return found;
}

/** @type {{name: "p50"|"p90"|"p99"|"p999", label: string, nines: number}[]} */
const quantiles = [
  { name: "p50", label: "p50", nines: Math.log10(2) },
  { name: "p90", label: "p90", nines: 1 },
  { name: "p99", label: "p99", nines: 2 },
  { name: "p999", label: "p99.9", nines: 3 },
];

/** No sample has all nines: the maximum stands apart, behind the last quantile. */
const max_nines = 3.7;
const edge_nines = 0.15;

export const percentile_axis = {
  low: quantiles[0].nines - edge_nines,
  high: max_nines + edge_nines,
  ticks: [...quantiles.map(({ nines, label }) => ({ at: nines, label })), { at: max_nines, label: "max" }],
  title: "",
};

/** @param {import("./types.js").LatencyQuantiles|null|undefined} latency */
export function percentilePoints(latency) {
  const points = supportedQuantiles(latency).map(({ nines, estimate }) => ({ x: nines, estimate, apart: false }));
  return latency?.max ? [...points, { x: max_nines, estimate: latency.max, apart: true }] : points;
}

/**
 * @typedef {object} LatencyGroup
 * @property {string} key
 * @property {import("./types.js").Pattern} pattern
 * @property {number} bytes
 * @property {number|null} rate_hz
 * @property {Case[]} cases
 */

/**
 * Cases whose latencies belong into one chart: of one pattern, size and rate.
 * @param {readonly Case[]} cases
 * @returns {LatencyGroup[]}
 */
export function latencyGroups(cases) {
  /** @type {Map<string, LatencyGroup>} */
  const groups = new Map();
  for (const one of cases.filter(({ latency_ns }) => latency_ns?.p50)) {
    const { pattern, message_bytes: bytes, rate_hz } = one;
    const key = rate_hz === null ? `${pattern}:${bytes}` : `${pattern}:${bytes}:${rate_hz}`;
    const group = groups.get(key) ?? { key, pattern, bytes, rate_hz, cases: [] };
    group.cases.push(one);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/**
 * The whole decades that hold all values, for a log axis shared by many rows.
 * @param {readonly number[]} values  positive
 * @returns {{low: number, high: number, decades: number[]}}
 */
export function decadesOf(values) {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return { low: 2, high: 5, decades: [2, 3, 4, 5] };
  const low = Math.floor(Math.log10(Math.min(...positive)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive))));
  return { low, high, decades: Array.from({ length: high - low + 1 }, (_, i) => low + i) };
}
