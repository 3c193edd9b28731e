/**
 * Latency under load: the paced cases of a run by size, each mechanism's latency over the rate asked for. Pure.
 *
 * @typedef {import("./types.js").Case} Case
 * @typedef {{bytes: number, rates: number[], lines: LoadLine[]}} LoadGroup
 * @typedef {{key: string, mechanism: string, setting: string, cases: Case[]}} LoadLine  ascending by rate
 */

import { settingText } from "./words.js";

/** @param {Case} one */
const isHeld = ({ flags }) => !flags.includes("rate_not_held");

/** @param {Case} one */
const rateOf = ({ rate_hz }) => rate_hz ?? 0;

/**
 * One group for each size that was measured at several rates.
 * @param {readonly Case[]} cases
 * @returns {LoadGroup[]}
 */
export function loadGroups(cases) {
  const paced = cases.filter((one) => one.pattern === "paced" && one.rate_hz !== null && one.latency_ns?.p50);
  const sizes = [...new Set(paced.map((one) => one.message_bytes))].sort((a, b) => a - b);
  return sizes.map((bytes) => groupOf(bytes, paced)).filter(({ rates }) => rates.length > 1);
}

/** @param {number} bytes @param {Case[]} paced @returns {LoadGroup} */
function groupOf(bytes, paced) {
  const own = paced.filter((one) => one.message_bytes === bytes).sort((a, b) => rateOf(a) - rateOf(b));
  /** @type {Map<string, LoadLine>} */
  const lines = new Map();
  for (const one of own) {
    const setting = settingText(one);
    const key = `${one.mechanism} ${setting}`;
    const line = lines.get(key) ?? { key, mechanism: one.mechanism, setting, cases: [] };
    line.cases.push(one);
    lines.set(key, line);
  }
  return { bytes, rates: [...new Set(own.map(rateOf))], lines: [...lines.values()] };
}

/**
 * The points of one quantile. Once a rate was not held the line is over: what lies beyond measures how long the queue
 * had become, not what a message costs.
 * @param {LoadLine} line
 * @param {"p50"|"p99"} quantile
 * @returns {{rate_hz: number, estimate: import("./types.js").Estimate, held: boolean, achieved_hz: number|null}[]}
 */
export function loadPoints({ cases }, quantile) {
  let held = true;
  return cases.flatMap((one) => {
    held &&= isHeld(one);
    const estimate = one.latency_ns?.[quantile];
    if (!estimate) return [];
    return [
      { rate_hz: rateOf(one), estimate, held, achieved_hz: isHeld(one) ? null : (one.achieved_hz?.value ?? null) },
    ];
  });
}
