/** One experiment over its runs, arranged for a chart. Pure. */

import { groupsOf, higherIsBetter, highlight_max, medianOf } from "./compare.js";
import { formatByteRate, formatMessageRate, formatNs } from "./format.js";

/**
 * @typedef {import("./types.js").TrendSeries} TrendSeries
 * @typedef {import("./types.js").ChangePoint} ChangePoint
 */

/** @param {string} statistic */
export function formatOf(statistic) {
  if (statistic === "bytes_per_s") return formatByteRate;
  return statistic === "messages_per_s" ? formatMessageRate : formatNs;
}

/** Where the level moved, for the better or for the worse. @param {ChangePoint} change @param {string} statistic */
export const isWorse = ({ ratio }, statistic) => ratio > 1 !== higherIsBetter(statistic);

/**
 * All runs that have a point, in the order they were taken.
 * @param {readonly TrendSeries[]} series
 * @returns {{run: number, created_ms: number}[]}
 */
export function runsOf(series) {
  /** @type {Map<number, number>} */
  const runs = new Map();
  for (const { points } of series) for (const { run, created_ms } of points) runs.set(run, created_ms);
  return [...runs]
    .map(([run, created_ms]) => ({ run, created_ms }))
    .sort((a, b) => a.created_ms - b.created_ms || a.run - b.run);
}

/**
 * The group looked at: the one asked for, or the first in which something moved, or the first.
 * @param {readonly TrendSeries[]} series
 * @param {string|null} asked
 */
export function chosenGroup(series, asked) {
  const groups = groupsOf(series);
  const moved = groups.find(({ cases }) => cases.some(({ change_points }) => change_points.length > 0));
  return { groups, group: groups.find(({ key }) => key === asked) ?? moved ?? groups[0] };
}

/**
 * The mechanisms in colour: the reader's, or those that moved, then those with most points.
 * @param {readonly TrendSeries[]} series
 * @param {readonly string[]} asked
 * @returns {string[]}
 */
export function highlightedTrends(series, asked) {
  const names = [...new Set(series.map(({ mechanism }) => mechanism))];
  const chosen = asked.filter((name) => names.includes(name));
  if (chosen.length > 0) return chosen;
  const moved = new Set(
    series.filter(({ change_points }) => change_points.length > 0).map(({ mechanism }) => mechanism),
  );
  return [...names].sort((a, b) => Number(moved.has(b)) - Number(moved.has(a))).slice(0, highlight_max);
}

/** Lines further apart than this, as a factor, hide what moves within each of them. */
const wide = 8;

/**
 * Whether lines are better drawn over their own middle: the reader's choice, or as far as they lie apart.
 * @param {readonly TrendSeries[]} series
 * @param {string|null} asked
 */
export function isRelative(series, asked) {
  if (asked === "relative" || asked === "absolute") return asked === "relative";
  const values = series.flatMap(({ points }) => points.map(({ value }) => value));
  return Math.max(...values) / Math.min(...values) > wide;
}

/**
 * The points of a line over their median.
 * @param {TrendSeries} series
 * @returns {import("./types.js").TrendPoint[]}
 */
export function relativePoints({ points }) {
  const middle = medianOf(points.map(({ value }) => value)) ?? 1;
  /** @param {number|null} value */
  const over = (value) => (value === null ? null : value / middle);
  return points.map((one) => ({ ...one, value: one.value / middle, low: over(one.low), high: over(one.high) }));
}
