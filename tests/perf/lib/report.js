/**
 * From samples to judgements to docs/benchmarks.md.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { groups, targetOf } from "./cells.js";
import { compare, median } from "./statistics.js";
import { triedText } from "./tried.js";
import { isDifferent, isDifferentAlone, nameOf } from "./verdicts.js";

/** @typedef {import("./statistics.js").Comparison} Comparison */

// ---- judging ----

/** Is the bound kept? A time has to stay below it, a rate above. @param {any} cell @param {number} value @param {number} bound */
const keeps = (cell, value, bound) => (cell.group.pattern === "round_trip" ? value <= bound : value >= bound);

/** @param {any} cell @param {Comparison|undefined} comparison @param {number|null} bound */
function verdictOf(cell, comparison, bound) {
  if (bound === null || !comparison) return null;
  if (comparison.ratio === null) return { bound, word: "unknown" };
  const word = keeps(cell, comparison.ratio, bound) ? "met" : "missed";
  const is_open = comparison.low === null || comparison.high === null || (comparison.low < bound && comparison.high > bound);
  return { bound, word, is_open };
}

/**
 * Every row with its ratios to the limit and to each peer, the best peer, and whether the targets are met.
 * @param {string} build
 * @param {import("./rounds.js").Row[]} rows
 * @returns {any[]}
 */
export function judge(build, rows) {
  const wanted = rows.flatMap((row) => Object.keys(row.contestants).filter((name) => name !== "ipclab").map((name) => ({ row, name })));
  const results = compare(build, wanted.map(({ row, name }) => ({
    a: row.contestants.ipclab.samples,
    b: row.contestants[name].samples,
    higher_is_better: row.cell.group.pattern === "stream",
  })));
  return rows.map((row) => {
    /** @type {Record<string, Comparison>} */
    const ratios = Object.fromEntries(wanted.map(({ name }, i) => [name, results[i]]).filter((_, i) => wanted[i].row === row));
    const peers = Object.keys(ratios).filter((name) => name !== "limit" && ratios[name].ratio !== null);
    const is_time = row.cell.group.pattern === "round_trip";
    peers.sort((a, b) => (is_time ? ratios[b].ratio - ratios[a].ratio : ratios[a].ratio - ratios[b].ratio));
    const target = targetOf(row.cell);
    const limit = verdictOf(row.cell, ratios.limit, target.limit);
    const peer = target.peer && peers.length > 0 ? verdictOf(row.cell, ratios[peers[0]], 1) : null;
    return { ...row, ratios, best_peer: peers[0] ?? null, verdicts: { limit, peer }, misses_limit: limit?.word === "missed" };
  });
}

// ---- writing ----

/** @param {number} value @param {number} [digits] */
const significant = (value, digits = 3) => (value >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits));

const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;

/** @param {any} group @param {number} value */
function figure(group, value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (group.pattern === "round_trip") return value < 1000 ? `${significant(value)} ns` : `${significant(value / 1000)} µs`;
  if (group.bytes < 1024) return `${significant(value / group.bytes / 1e6)} M/s`;
  return value < 1e9 ? `${significant(value / 1e6)} MB/s` : `${significant(value / 1e9)} GB/s`;
}

/** @param {Comparison|undefined} comparison */
function ratio(comparison) {
  if (!comparison || comparison.ratio === null) return "–";
  const range = comparison.low === null || comparison.high === null ? "" : ` [${comparison.low.toFixed(2)}, ${comparison.high.toFixed(2)}]`;
  return `${comparison.ratio.toFixed(2)}${range}`;
}

/** Median of the samples that were compared. @param {any} contestant @param {Comparison|undefined} comparison */
function medianAt(contestant, comparison) {
  const values = contestant.samples.filter((/** @type {any} */ sample) => !comparison?.distance || sample.distance === comparison.distance).map((/** @type {any} */ sample) => sample.value);
  return values.length > 0 ? median(values) : NaN;
}

/** @param {any} row */
function targetText({ cell, verdicts }) {
  const sign = cell.group.pattern === "round_trip" ? "≤" : "≥";
  const texts = [["limit", verdicts.limit], ["peer", verdicts.peer]].filter(([, verdict]) => verdict).map(([name, verdict]) =>
    `${name} ${sign} ${verdict.bound}: ${verdict.word === "missed" ? "**missed**" : verdict.word}${verdict.is_open ? " (open)" : ""}`);
  return texts.join("; ") || "–";
}

/** @param {any} row */
function tableRow(row) {
  const { cell, contestants, ratios, best_peer } = row;
  const { group, mechanism, wait } = cell;
  if (contestants.ipclab.samples.length === 0) return `| ${mechanism} | ${wait} | not taken: ${contestants.ipclab.failures[0] ?? "no sample"} | | | | | | |`;
  const limit = ratios.limit;
  const peer = best_peer ? `${best_peer} ${figure(group, medianAt(contestants[best_peer], ratios[best_peer]))}` : "–";
  const distance = (limit ?? ratios[best_peer])?.distance || "–";
  const n = limit ? limit.n.join("/") : String(contestants.ipclab.samples.length);
  return `| ${mechanism} | ${wait} | ${figure(group, medianAt(contestants.ipclab, limit))} | ${contestants.limit ? figure(group, medianAt(contestants.limit, limit)) : "–"} | ${ratio(limit)} | ${peer} | ${ratio(ratios[best_peer])} | ${distance}, ${n} | ${targetText(row)} |`;
}

/** @param {any} results @param {any} group */
function groupTable({ rows }, group) {
  const mine = rows.filter((/** @type {any} */ row) => row.cell.group.name === group.name);
  if (mine.length === 0) return "";
  return [
    `### ${group.title}`,
    "",
    "| mechanism | wait | ipclab | raw loop | ipclab ÷ raw | best peer | ipclab ÷ peer | distance, n | target |",
    "|---|---|---|---|---|---|---|---|---|",
    ...mine.map(tableRow),
    "",
  ].join("\n");
}

/** @param {any} row @param {number} own_ns  what ipclab does around each call that is timed alone: clock, histogram, check */
function explanationText({ cell, contestants, explanation, ratios }, own_ns) {
  const { group, mechanism, wait } = cell;
  const values = (/** @type {any[]} */ samples) => median(samples.map((sample) => sample.value));
  const [header, none, limit] = [explanation.header, explanation.none, explanation.limit].map(values);
  const each = (/** @type {number} */ value) => (group.pattern === "round_trip" ? value : (1e9 * group.bytes) / value);
  const samples = contestants.ipclab.samples;
  const distances = [...new Set(Object.values(explanation).flat().map((/** @type {any} */ sample) => sample.distance))].join(" ");
  return `- **${group.title}, ${mechanism}, ${wait}**: ${ratio(ratios.limit)} of the raw loop. Taken apart at distance ${distances}, nanoseconds a ${group.pattern === "round_trip" ? "round trip" : "message"}: raw loop ${significant(each(limit))}, ipclab without verification ${significant(each(none))}, with it ${significant(each(header))}; `
    + `${median(samples.map((/** @type {any} */ sample) => sample.calls)).toFixed(2)} system calls and ${median(samples.map((/** @type {any} */ sample) => sample.switches)).toFixed(2)} context switches each.`
    + (group.pattern === "round_trip" && wait !== "spin" ? ` What ipclab does between the calls (clock, histogram, check) takes ${significant(own_ns)} ns here, ${percent(own_ns / each(limit))} of the raw loop's time.` : "");
}

/** @param {any} results */
function missedSection({ rows, overhead }) {
  const missed = rows.filter((/** @type {any} */ row) => row.verdicts.limit?.word === "missed" || row.verdicts.peer?.word === "missed");
  const known = rows.filter((/** @type {any} */ row) => [row.verdicts.limit, row.verdicts.peer].some((verdict) => verdict && verdict.word !== "unknown"));
  const unknown = rows.filter((/** @type {any} */ row) => [row.verdicts.limit, row.verdicts.peer].some((verdict) => verdict?.word === "unknown"));
  const lines = ["## Targets", "", `${known.length} cells have a target that could be judged; ${missed.length} miss one, ${unknown.length} have one that could not be judged because no two samples were taken at equal distance.`, ""];
  for (const row of missed) {
    if (row.explanation) lines.push(explanationText(row, overhead.loop_ns) + triedText(row.cell));
    else if (row.verdicts.peer?.word === "missed") lines.push(`- **${row.cell.group.title}, ${row.cell.mechanism}, ${row.cell.wait}**: ${ratio(row.ratios[row.best_peer])} of ${row.best_peer}, while ${ratio(row.ratios.limit)} of the raw loop.${triedText(row.cell)}`);
  }
  return [...lines, ""].join("\n");
}

/** @param {any} results */
function peersSection({ rows, context }) {
  const lines = ["## Peers", "", "| peer | cell | median | note | command |", "|---|---|---|---|---|"];
  for (const { cell, contestants } of rows) {
    for (const [name, { samples, failures, peer }] of /** @type {[string, any][]} */ (Object.entries(contestants))) {
      if (!peer) continue;
      const value = samples.length > 0 ? figure(cell.group, median(samples.map((/** @type {any} */ sample) => sample.value))) : `failed: ${failures[0]}`;
      const server = peer.server ? `\`${peer.server.join(" ")}\`, then ` : "";
      const pinned = peer.children ? `, then its processes pinned to CPU ${peer.children.join(" and ")}` : "";
      lines.push(`| ${name} | ${cell.group.name}/${cell.mechanism} | ${value} | ${peer.note ?? ""} | ${server}\`${peer.command.join(" ")}\`${pinned} |`);
    }
  }
  lines.push("", "Figures of other programs that measure something else, for orientation:", "", "| program | median | what | command |", "|---|---|---|---|");
  for (const { name, unit, note, command, values, failure } of context) lines.push(`| ${name} | ${failure ? `failed: ${failure}` : `${significant(median(values))} ${unit}`} | ${note} | \`${command}\` |`);
  return [...lines, ""].join("\n");
}

/** The floors that the pairs were judged by, the lowest and the highest. @param {any[]} pairs @param {string} pattern */
function floorText(pairs, pattern) {
  const values = pairs.flatMap(({ noise_floor }) => (noise_floor?.patterns ?? []).filter((/** @type {any} */ one) => one.pattern === pattern).map((/** @type {any} */ one) => one.value));
  return values.length > 0 ? `${percent(Math.min(...values))} to ${percent(Math.max(...values))}` : "not known";
}

/** @param {any} results */
function aaSection({ aa }) {
  const lines = ["## The same experiment twice", ""];
  if (!aa) return [...lines, "Not taken in this run.", ""].join("\n");
  const verdicts = aa.pairs.flatMap((/** @type {any} */ pair) => pair.verdicts);
  const count = (/** @type {string} */ word) => verdicts.filter((/** @type {any} */ one) => one.verdict === word).length;
  lines.push(
    `${aa.pairs.length} pairs of runs of \`${JSON.stringify(aa.experiment)}\`, compared by the product's own \`compare\` as for a gate (Holm over the cases of a pair, trials at equal distance): of ${verdicts.length} comparisons `
    + `**${count("faster")} faster, ${count("slower")} slower** (target: none), ${count("same")} the same, ${count("inconclusive")} inconclusive, ${count("not_comparable")} not comparable.`,
    "",
    `A difference has to reach the noise floor of the machine, which each pair learns from the other runs alone: round trips ${floorText(aa.pairs, "round_trip")}, streams ${floorText(aa.pairs, "stream")}. With nothing known of the machine, at 2 %, ${verdicts.filter(isDifferentAlone).length} would be called different: what differs from run to run is the same for all trials of a run, and no test on those trials can see it.`,
    "",
  );
  const off = verdicts.filter((/** @type {any} */ one) => one.ratio !== null && one.verdict !== "not_comparable").map((/** @type {any} */ one) => Math.max(one.ratio, 1 / one.ratio) - 1).sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
  if (off.length > 0) lines.push(`Half of the ratios lie within ${percent(median(off))} of 1, nine in ten within ${percent(off[Math.ceil(0.9 * off.length) - 1])}.`, "");
  for (const one of verdicts.filter((/** @type {any} */ verdict) => isDifferent(verdict) || isDifferentAlone(verdict))) {
    lines.push(`- ${nameOf(one)}: ${one.verdict}, ${ratio(one)}, p ${one.p_adjusted?.toPrecision(2)}, margin ${percent(one.margin)}, distance ${one.distance}, n ${one.n.join("/")}`);
  }
  return [...lines, ""].join("\n");
}

/** @param {any} results */
function distancesText({ rows }) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { cell, contestants } of rows) {
    if (cell.group.placement === "same_cpu") continue;
    for (const sample of Object.values(contestants).flatMap((/** @type {any} */ contestant) => contestant.samples)) counts[sample.distance] = (counts[sample.distance] ?? 0) + 1;
  }
  return Object.entries(counts).map(([distance, count]) => `${distance} ${count}`).join(", ");
}

/** @param {any} results */
function headSection(results) {
  const { began, seconds, kernel, cpu, load, options } = results;
  const busy = Math.max(...load) >= 1.5 && load[0] >= 1;
  return [
    "# ipclab beside the limit and its peers",
    "",
    `Written by \`make bench\`; do not edit. Taken ${began.slice(0, 16).replace("T", " ")} UTC in ${Math.round(seconds / 60)} minutes.`,
    "",
    "| | |",
    "|---|---|",
    `| CPU | ${cpu} |`,
    `| kernel | ${kernel} |`,
    `| load before and after | ${load.map((/** @type {number} */ one) => one.toFixed(2)).join(", ")} |`,
    `| distance of the two CPUs, samples | ${distancesText(results)} |`,
    `| rounds, seed | ${options.rounds}, ${options.seed}${options.quick ? ", QUICK" : ""}; trials of ${options.duration_ms} ms |`,
    "",
    busy ? "**The machine had other work while this was taken.** Ratios suffer less than absolute figures, but both suffer; take it again on an idle machine before relying on it.\n" : "",
    "## Method",
    "",
    `Each round goes through all cells in a new order, shuffled by the seed, through those whose figures spread most several times, and within a cell through ipclab, the raw loop and the peers, again shuffled, one right after the other. ipclab's figure is that of a whole trial, asked for over its REST interface: processes freshly started, warmed up, messages numbered and checked (\`verify: header\`). The raw loop (\`tests/perf/probe\`) does the mechanism's calls and a copy, nothing else, in the shape known to be the fastest; shared memory is held against a bare flag and payload, and against a bare ring of one producer and one consumer. A round trip is the median of its trial, a stream what the receiver counted.`,
    "",
    "Where the hypervisor has put the two CPUs decides much, so the distance is measured around every sample, and only samples of equal distance (S one core, C one cache complex, X across) are compared. Ratios are Hodges–Lehmann estimates, the median of all pairwise ratios, with the exact 95 % interval by ranks where there are enough samples, by the same code that compares runs in the product. *met* and *missed* go by the estimate; *open* says that the interval holds the bound, or that there is none.",
    "",
  ].join("\n");
}

/** @param {string} path @param {any} results */
export function writeReport(path, results) {
  const tables = groups.map((group) => groupTable(results, group)).filter(Boolean);
  const text = [headSection(results), missedSection(results), "## Figures", "", ...tables, aaSection(results), peersSection(results)].join("\n");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${text.replaceAll(/\n{3,}/g, "\n\n").trimEnd()}\n`);
}
