/** The forest plot: a row for each verdict, its ratio and interval on a log axis, the trials as dots. */

import { h, setChildren, setText } from "../../js/dom.js";
import { ratioAxis } from "../../js/axes.js";
import {
  caseKey,
  groupKey,
  groupsOf,
  leavesTrialsOut,
  pText,
  ratioText,
  rawRatios,
  trialsNeeded,
  verdicts,
} from "../../js/compare.js";
import { formatCount, formatNumber, formatPlural, formatShare } from "../../js/format.js";
import { distanceText, settingText, statisticText } from "../../js/words.js";
import { createRowChart } from "../chart/rows.js";
import { runName, trialsByCase } from "./model.js";

/**
 * @typedef {import("./model.js").Compared} Compared
 * @typedef {import("../../js/types.js").Verdict} Verdict
 * @typedef {import("../../js/types.js").Trial} Trial
 */

/** All cases at once are shown up to so many rows; beyond, the first pattern and size. */
const rows_at_once = 64;
const heads = ["Ratio", "95 % interval", "p", "p adjusted", "Cliff's δ", "Trials", "Distance", "Verdict"];

/**
 * The verdicts of the group looked at, before the filter by verdict.
 * @param {Compared} compared
 */
export function shownVerdicts({ comparison, question }) {
  const groups = groupsOf(comparison.verdicts);
  const asked = groups.find(({ key }) => key === question.group);
  if (asked) return { group: asked.key, list: asked.cases };
  if (question.group !== "all" && comparison.verdicts.length > rows_at_once && groups.length > 1)
    return { group: groups[0].key, list: groups[0].cases };
  return { group: "all", list: comparison.verdicts };
}

/** @param {string} statistic */
const isRate = (statistic) => /_per_s$/.test(statistic);

/** @param {Verdict} one */
const intervalText = ({ low, high }) =>
  low === null || high === null ? "no interval" : `${formatNumber(low)}–${formatNumber(high)}`;

/** @type {Record<string, string>} */
const reasons = {
  distance: "no trials of equal core distance in both runs",
  verify: "the runs verify messages otherwise, which is another loop",
  duration_ms: "the trials are of another length, which a maximum follows",
};

/** @param {Verdict} one @param {import("../../js/types.js").Omnibus|undefined} omnibus */
function toldText(one, omnibus) {
  const { text } = verdicts[one.verdict];
  const why = one.reason === null ? "" : `: ${reasons[one.reason] ?? one.reason}`;
  if (one.ratio === null) return text + why;
  const parts = [
    `${ratioText(one.ratio)} (${intervalText(one)}), ${text}${why}`,
    `p ${pText(one.p)}, adjusted ${pText(one.p_adjusted)}`,
    `Cliff's δ ${one.cliffs_delta?.toFixed(2) ?? "–"}`,
    `${one.n[1]} trials against ${one.n[0]}`,
  ];
  if (one.distance) parts.push(`distance ${one.distance}`);
  if (one.trials_needed) parts.push(`would take about ${formatCount(one.trials_needed)} trials a run`);
  if (omnibus)
    parts.push(`all ${omnibus.runs} runs: Kruskal–Wallis H ${formatNumber(omnibus.h)}, p ${pText(omnibus.p)}`);
  return parts.join("; ");
}

/**
 * @param {Verdict} one
 * @param {Compared} compared
 * @param {Map<string, Trial[]>[]} trials  of each side, by case
 * @param {Set<string>} alike  mechanisms that one group holds more than once
 * @returns {import("../chart/rows.js").Row}
 */
function rowOf(one, { sides, legend, comparison }, trials, alike) {
  const key = caseKey(one);
  const place = sides.findIndex(({ run }) => run.id === one.against);
  const raw = rawRatios(one, trials[0].get(key) ?? [], trials[place]?.get(key) ?? []);
  const { text, sign, tone } = verdicts[one.verdict];
  const part = [sides.length > 2 && runName(one.against), alike.has(one.mechanism) && settingText(one)];
  return {
    key: `${one.against} ${key}`,
    title: legend.titleOf(one.mechanism),
    part: part.filter(Boolean).join(" · ") || undefined,
    look: legend.lookOf(one.mechanism),
    marks: [
      {
        value: one.ratio,
        low: one.low,
        high: one.high,
        dots: [
          ...raw.base.map((value) => ({ value, hollow: true })),
          ...raw.against.map((value) => ({ value, hollow: false })),
        ],
      },
    ],
    figure: ratioText(one.ratio),
    word: `${sign} ${text}`,
    tone,
    told: toldText(
      one,
      comparison.omnibus.find((other) => caseKey(other) === key),
    ),
    cells: [
      ratioText(one.ratio),
      intervalText(one),
      pText(one.p),
      pText(one.p_adjusted),
      one.cliffs_delta?.toFixed(2) ?? null,
      `${one.n[1]} v ${one.n[0]}`,
      one.distance,
      text,
    ],
  };
}

/** The runs of one case below each other. @param {readonly Verdict[]} list */
function byCase(list) {
  const keys = [...new Set(list.map(caseKey))];
  return keys.flatMap((key) => list.filter((one) => caseKey(one) === key));
}

/** Mechanisms measured in two settings within one group: their rows name the setting. @param {readonly Verdict[]} list */
function repeatedMechanisms(list) {
  const seen = new Set();
  /** @type {Set<string>} */
  const repeated = new Set();
  for (const one of list) {
    const key = `${one.against} ${one.mechanism} ${groupKey(one)}`;
    if (seen.has(key)) repeated.add(one.mechanism);
    seen.add(key);
  }
  return repeated;
}

/** @param {import("../../js/types.js").Comparison} comparison */
function marginText({ noise_floor, verdicts: list }) {
  const margins = [...new Set(list.map(({ margin }) => formatShare(margin)))].join(" or ");
  return noise_floor
    ? `${margins}, from 2 % and from how much equal runs differ on this machine (${formatPlural(noise_floor.pairs, "pair")} of them)`
    : `${margins}; how much equal runs differ on this machine is known from three pairs of them on`;
}

/** @param {Compared} compared */
function methodText({ comparison, sides }) {
  const { verdicts: list, correction } = comparison;
  const over = sides.length > 2 ? "each run over the base" : `${sides[1]?.name} over ${sides[0].name}`;
  const name = correction === "holm" ? "Holm, as a gate wants it" : "Benjamini–Hochberg, for exploring";
  return (
    `Ratio of ${over}: the median over all pairs of trials (Hodges–Lehmann) with its 95 % interval. ` +
    `p is from an exact permutation test, corrected for ${formatPlural(list.length, "case")} (${name}). ` +
    `Faster and slower need p < 0.05, an interval without 1, and a ratio outside the shaded band: ${marginText(comparison)}. ` +
    "Of a latency less is faster, of a rate more. " +
    "Small dots are the trials over the base's median: hollow the base's, filled the other's."
  );
}

/** Why so little can be told, where more trials would help. @param {readonly Verdict[]} list */
function trialsHint(list) {
  const open = list.filter(({ verdict }) => verdict === "inconclusive");
  const judged = list.filter(({ ratio }) => ratio !== null);
  if (open.length === 0) return "";
  const needed = open.flatMap(({ trials_needed }) => trials_needed ?? []).sort((a, b) => a - b);
  const single = trialsNeeded(judged.length);
  const least = Math.min(...judged.flatMap(({ n }) => n));
  const parts = [];
  if (least < single)
    parts.push(
      `Among ${formatPlural(judged.length, "case")} the exact test can single one out from ${single} trials a run on; ` +
        `some have ${least}.`,
    );
  if (needed.length > 0)
    parts.push(
      `To decide ${formatPlural(open.length, "case")} that ${open.length === 1 ? "is" : "are"} inconclusive would take ` +
        `about ${formatCount(needed[0])} to ${formatCount(needed[needed.length - 1])} trials a run.`,
    );
  return parts.join(" ");
}

/** A machine that does not repeat itself hides what is smaller. */
const noisy = 0.05;

/** @param {import("../../js/types.js").Comparison} comparison */
function noiseHint({ noise_floor }) {
  if (!noise_floor || noise_floor.value < noisy) return "";
  return (
    `Equal runs on this machine differ by up to ${formatShare(noise_floor.value)} (${formatPlural(noise_floor.pairs, "pair")}): ` +
    "what changes less is called the same. A quieter machine tells more."
  );
}

/** @param {readonly Verdict[]} list */
function distancesText(list) {
  const classes = [...new Set(list.flatMap(({ distance }) => distance ?? []))].sort();
  return classes.length === 0
    ? ""
    : `Trials are compared where their CPUs were equally far apart: ${classes.map(distanceText).join("; ")}.`;
}

/** @param {Compared} compared */
const distanceHint = ({ sides }) =>
  leavesTrialsOut(sides)
    ? "A ratio is over the trials whose CPUs were equally far apart, the charts below are over all: the two may differ."
    : "";

/** @param {AbortSignal} signal */
export function createForest(signal) {
  const chart = createRowChart(signal);
  const title = h("h2", {});
  const key = h("p", { class: "muted" });
  const empty = h("p", { class: "muted" });
  const hint = h("p", { class: "compared-hint" });
  const method = h("p", { class: "muted compared-text" });
  return {
    element: h(
      "section",
      { class: "card forest", "aria-label": "Ratios" },
      h("div", { class: "card-head" }, title, key),
      chart.element,
      empty,
      hint,
      h("details", { class: "chart-twin" }, h("summary", {}, "How this is decided"), method),
    ),
    /** @param {Compared} compared */
    update(compared) {
      const { question } = compared;
      const all = shownVerdicts(compared).list;
      const list = all.filter(({ verdict }) => question.verdict === null || verdict === question.verdict);
      const trials = compared.sides.map(trialsByCase);
      const repeated = repeatedMechanisms(all);
      const groups = groupsOf(list).map(({ text, cases }) => ({
        band: { low: 1 / (1 + cases[0].margin), high: 1 + cases[0].margin },
        title: `${text} · ${statisticText(cases[0].statistic)}, ${isRate(cases[0].statistic) ? "more" : "less"} is faster`,
        rows: byCase(cases).map((one) => rowOf(one, compared, trials, repeated)),
      }));
      const [base] = compared.sides;
      setText(title, `Ratio to ${base.name}`);
      setText(
        key,
        `large: the ratio, with its 95 % interval; band: counts as the same; small: trials, ${base.name} hollow and above`,
      );
      chart.element.hidden = list.length === 0;
      empty.hidden = list.length > 0;
      setText(empty, all.length > 0 ? "No case here has this verdict." : "");
      const ends = list.flatMap(({ ratio, low, high }) => [ratio ?? 1, low ?? 1, high ?? 1]);
      chart.update({
        label: "Ratio of each case to the base",
        groups,
        axis: ratioAxis(ends, { least: 1.1, most: 20 }),
        format: ratioText,
        heads,
      });
      const few = [noiseHint(compared.comparison), trialsHint(all), distanceHint(compared)].filter(Boolean).join(" ");
      hint.hidden = few === "";
      setText(hint, few);
      setChildren(method, `${methodText(compared)} ${distancesText(all)}`);
    },
  };
}
