/**
 * What the comparison page shows: its question from the address, and the answer arranged for its charts. Pure.
 *
 * @typedef {import("./types.js").Case} Case
 * @typedef {import("./types.js").Trial} Trial
 * @typedef {import("./types.js").Verdict} Verdict
 * @typedef {import("./types.js").VerdictWord} VerdictWord
 * @typedef {Pick<Case, "mechanism"|"pattern"|"message_bytes"|"rate_hz"|"wait"|"placement"|"relation"|"senders"|"receivers">} CaseKey
 *
 * @typedef {object} Question
 * @property {number|null} base
 * @property {number[]} against
 * @property {string|null} statistic  null: what each pattern is about
 * @property {string|null} max_slower  a share in per cent; null: no gate
 * @property {string|null} group  the pattern and size looked at; null: all
 * @property {VerdictWord|null} verdict  only these
 * @property {string|null} latency  the group whose percentiles are shown
 * @property {string|null} inside  the case looked into
 * @property {"bytes_per_s"|"messages_per_s"} rate
 * @property {string[]} highlight  mechanisms; empty: those that changed most
 */

import { formatBytes, formatNumber, formatOfferedRate } from "./format.js";
import { patternText } from "./words.js";

const against_max = 8;
export const highlight_max = 5;

export const statistics = /** @type {const} */ ([
  "p50",
  "p90",
  "p99",
  "p999",
  "max",
  "messages_per_s",
  "bytes_per_s",
  "cpu_ns_per_message",
]);

/** @type {readonly VerdictWord[]} */
export const verdict_words = ["faster", "slower", "same", "inconclusive", "not_comparable"];

/**
 * The sign stands beside the word wherever colour does.
 * @type {Record<VerdictWord, {text: string, sign: string, tone: string}>}
 */
export const verdicts = {
  faster: { text: "faster", sign: "▲", tone: "good" },
  slower: { text: "slower", sign: "▼", tone: "bad" },
  same: { text: "the same", sign: "=", tone: "" },
  inconclusive: { text: "inconclusive", sign: "?", tone: "" },
  not_comparable: { text: "not comparable", sign: "⊘", tone: "" },
};

/** @param {string|null} text */
const idOf = (text) => (text !== null && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null);

/**
 * @template {string} T
 * @param {readonly T[]} words
 * @param {string|null} text
 * @returns {T|null}
 */
const wordOf = (words, text) => words.find((one) => one === text) ?? null;

/**
 * Reads the address; what it cannot mean is left out.
 * @param {URLSearchParams} query
 * @returns {Question}
 */
export function questionOf(query) {
  const base = idOf(query.get("base"));
  const ids = (query.get("against") ?? "").split(",").flatMap((text) => idOf(text.trim()) ?? []);
  return {
    base,
    against: [...new Set(ids)].filter((id) => id !== base).slice(0, against_max),
    statistic: wordOf(statistics, query.get("statistic")),
    max_slower: shareOf(query.get("max_slower") ?? ""),
    group: query.get("group"),
    verdict: wordOf(verdict_words, query.get("verdict")),
    latency: query.get("latency"),
    inside: query.get("inside"),
    rate: wordOf(/** @type {const} */ (["bytes_per_s", "messages_per_s"]), query.get("rate")) ?? "bytes_per_s",
    highlight: (query.get("highlight") ?? "").split(",").filter(Boolean).slice(0, highlight_max),
  };
}

/**
 * A limit in per cent, as the server takes it: above 0, at most 1000. `5`, `5%` and `0.5 %` are read.
 * @param {string} text
 * @returns {string|null}  without the sign
 */
export function shareOf(text) {
  const match = /^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(text);
  const value = Number(match?.[1] ?? 0);
  return value > 0 && value <= 1000 ? String(value) : null;
}

/** @param {readonly number[]} ids  the base first */
export function compareAddress(ids) {
  const [base, ...against] = ids;
  return `/compare?base=${base}${against.length > 0 ? `&against=${against.join(",")}` : ""}`;
}

/** What makes two cases the same one, in two runs. @param {CaseKey} one */
export const caseKey = (one) =>
  [
    one.mechanism,
    one.pattern,
    one.message_bytes,
    one.rate_hz ?? "",
    one.wait ?? "",
    one.placement,
    one.relation,
    one.senders,
    one.receivers,
  ].join(":");

/** Cases of one column: a pattern, a size and a rate. @param {CaseKey} one */
export const groupKey = ({ pattern, message_bytes, rate_hz }) =>
  rate_hz === null ? `${pattern}:${message_bytes}` : `${pattern}:${message_bytes}:${rate_hz}`;

/** @param {CaseKey} one */
export const groupText = ({ pattern, message_bytes, rate_hz }) =>
  `${patternText(pattern)}, ${formatBytes(message_bytes)}${rate_hz === null ? "" : ` at ${formatOfferedRate(rate_hz)}`}`;

const pattern_order = ["round_trip", "stream", "paced"];

/**
 * The groups of some cases, by pattern, size and rate.
 * @template {CaseKey} T
 * @param {readonly T[]} cases
 * @returns {{key: string, text: string, cases: T[]}[]}
 */
export function groupsOf(cases) {
  /** @type {Map<string, T[]>} */
  const groups = new Map();
  for (const one of cases) groups.set(groupKey(one), [...(groups.get(groupKey(one)) ?? []), one]);
  return [...groups]
    .map(([key, own]) => ({ key, text: groupText(own[0]), cases: own }))
    .sort(
      ({ cases: [a] }, { cases: [b] }) =>
        pattern_order.indexOf(a.pattern) - pattern_order.indexOf(b.pattern) ||
        a.message_bytes - b.message_bytes ||
        (a.rate_hz ?? 0) - (b.rate_hz ?? 0),
    );
}

/** @param {readonly Verdict[]} list @returns {Record<VerdictWord, number>} */
export function countVerdicts(list) {
  const counts = { faster: 0, slower: 0, same: 0, inconclusive: 0, not_comparable: 0 };
  for (const { verdict } of list) counts[verdict]++;
  return counts;
}

/**
 * How far a ratio is from 1, in either direction; what has none is nowhere.
 * @param {Verdict} one
 */
const changeOf = ({ ratio }) => (ratio !== null && ratio > 0 ? Math.abs(Math.log(ratio)) : -1);

/**
 * The mechanisms drawn in colour: the reader's, or those with a verdict of faster or slower, the largest change first.
 * @param {readonly Verdict[]} list
 * @param {readonly string[]} asked
 * @returns {string[]}
 */
export function highlighted(list, asked) {
  const there = new Set(list.map(({ mechanism }) => mechanism));
  const chosen = asked.filter((name) => there.has(name));
  if (chosen.length > 0) return chosen;
  /** @param {Verdict} one */
  const isSure = ({ verdict }) => Number(verdict === "faster" || verdict === "slower");
  const ranked = [...list].sort((a, b) => isSure(b) - isSure(a) || changeOf(b) - changeOf(a));
  return [...new Set(ranked.map(({ mechanism }) => mechanism))].slice(0, highlight_max);
}

/**
 * The figure of one trial that runs are compared by; null where it has none.
 * @param {Trial} trial
 * @param {string} statistic
 * @returns {number|null}
 */
export function figureOf(trial, statistic) {
  if (trial.state !== "done") return null;
  if (statistic === "messages_per_s") return trial.messages_per_s ?? null;
  if (statistic === "bytes_per_s") return trial.bytes_per_s;
  if (statistic === "cpu_ns_per_message") return trial.messages > 0 ? trial.cpu_ns / trial.messages : null;
  return trial.latency_ns?.[statistic] ?? null;
}

/** What a pattern is about. @param {import("./types.js").Pattern} pattern */
export const naturalStatistic = (pattern) => (pattern === "stream" ? "bytes_per_s" : "p50");

/** @param {string} statistic */
export const higherIsBetter = (statistic) => statistic === "bytes_per_s" || statistic === "messages_per_s";

/** @param {readonly number[]} values */
export function medianOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return null;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The trials behind a verdict over the median of the base's: of the distance that was compared alone.
 * @param {Verdict} verdict
 * @param {readonly Trial[]} base  the trials of this case
 * @param {readonly Trial[]} against
 * @returns {{base: number[], against: number[]}}
 */
export function rawRatios(verdict, base, against) {
  /** @param {readonly Trial[]} trials */
  const figures = (trials) =>
    trials
      .filter(({ distance }) => distance === verdict.distance)
      .flatMap((trial) => figureOf(trial, verdict.statistic) ?? []);
  const own = figures(base);
  const middle = medianOf(own);
  if (!middle) return { base: [], against: [] };
  return { base: own.map((one) => one / middle), against: figures(against).map((one) => one / middle) };
}

/**
 * Whether some trials have no part in a ratio, because their CPUs were not as far apart as those it is over: figures
 * over all trials may then say something else.
 * @param {readonly {cases: readonly Case[]}[]} sides
 */
export const leavesTrialsOut = (sides) =>
  sides.some(({ cases }) => cases.some(({ by_distance }) => by_distance.length > 0));

/** @param {number|null} ratio */
export const ratioText = (ratio) => (ratio === null ? "–" : `×${formatNumber(ratio)}`);

/** @param {number|null} p */
export const pText = (p) => (p === null ? "–" : p < 0.001 ? "<0.001" : p.toFixed(3));

/**
 * How many trials each side needs before the exact test can say anything about so many cases: the smallest p it can
 * give, 2 / C(2n, n), times the number of cases, has to be below 0.05.
 * @param {number} cases
 */
export function trialsNeeded(cases) {
  let n = 1;
  // C(2n, n) from C(2n-2, n-1).
  for (let orders = 2; (2 / orders) * cases >= 0.05; n++) orders *= (2 * (2 * n + 1)) / (n + 1);
  return n;
}

/**
 * The trials of a run in the order they were taken, each over the median of its case, and how the middle of them moves.
 * @param {readonly Trial[]} trials
 * @param {(trial: Trial) => number|null} figure
 * @returns {{trial: Trial, ratio: number, moving: number}[]}
 */
export function driftOf(trials, figure) {
  const window = 4;
  /** @type {Map<number, number[]>} */
  const by_case = new Map();
  const taken = trials
    .flatMap((trial) => {
      const value = figure(trial);
      return value !== null && value > 0 ? [{ trial, value }] : [];
    })
    .sort((a, b) => a.trial.sequence - b.trial.sequence);
  for (const { trial, value } of taken) by_case.set(trial.case, [...(by_case.get(trial.case) ?? []), value]);
  const middles = new Map([...by_case].map(([number, values]) => [number, medianOf(values) ?? 1]));
  const ratios = taken.map(({ trial, value }) => ({ trial, ratio: value / (middles.get(trial.case) ?? 1) }));
  return ratios.map((one, i) => {
    const around = ratios.slice(Math.max(0, i - window), i + window + 1).map(({ ratio }) => ratio);
    return { ...one, moving: medianOf(around) ?? 1 };
  });
}

/**
 * What reads otherwise in one of the runs than in the base: facts of the machines, isolation, settings.
 * @param {readonly import("./types.js").Facts[]} facts  of each run, the base first
 * @returns {{name: string, values: unknown[]}[]}
 */
export function differencesOf(facts) {
  const names = [...new Set(facts.flatMap((one) => Object.keys(one)))];
  return names
    .map((name) => ({ name, values: facts.map((one) => one[name] ?? null) }))
    .filter(({ values: [first, ...others] }) => others.some((one) => JSON.stringify(one) !== JSON.stringify(first)));
}

/**
 * The sizes of the caches a machine says it has: "L1d 32K (CPUs 0), L2 1024K (CPUs 0)".
 * @param {unknown} text
 * @returns {{name: string, bytes: number}[]}
 */
export function cacheSizes(text) {
  if (typeof text !== "string") return [];
  const found = [...text.matchAll(/\b(L\d)(d?)\s+(\d+)K\b/g)].map(([, level, , kib]) => ({
    name: level,
    bytes: Number(kib) * 1024,
  }));
  return found.filter(({ name }, i) => found.findIndex((other) => other.name === name) === i);
}

/**
 * Pairs worth a look in a list from the newest: of each experiment the last run and the one before it.
 * @param {readonly import("./types.js").Run[]} runs
 * @param {number} most
 * @returns {{base: import("./types.js").Run, against: import("./types.js").Run}[]}
 */
export function pairsOf(runs, most) {
  const done = runs.filter(({ state, experiment_hash }) => state === "done" && experiment_hash !== undefined);
  const experiments = [...new Set(done.map(({ experiment_hash }) => experiment_hash))];
  return experiments
    .flatMap((hash) => {
      const [against, base] = done.filter(({ experiment_hash }) => experiment_hash === hash);
      return base ? [{ base, against }] : [];
    })
    .slice(0, most);
}
