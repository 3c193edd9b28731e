/**
 * What the parts of the comparison page are given: the runs side by side, the base first. Pure.
 *
 * @typedef {import("../../js/types.js").Run} Run
 * @typedef {import("../../js/types.js").Case} Case
 * @typedef {import("../../js/types.js").Trial} Trial
 * @typedef {import("../../js/types.js").Verdict} Verdict
 *
 * @typedef {object} Side
 * @property {Run} run
 * @property {string} name  #17
 * @property {readonly Case[]} cases
 * @property {readonly Trial[]} trials
 * @property {import("../../js/types.js").Machine|null} machine  with its facts; null: not known (yet)
 * @property {import("../../js/mechanisms.js").Look} look
 *
 * @typedef {object} Compared
 * @property {Side[]} sides
 * @property {import("../../js/types.js").Comparison} comparison
 * @property {import("../../js/compare.js").Question} question
 * @property {string[]} highlight  mechanisms in colour
 * @property {import("../../js/mechanisms.js").Legend} legend
 */

import { caseKey } from "../../js/compare.js";

/** @param {number} id */
export const runName = (id) => `#${id}`;

/**
 * A run has a hue and a marker of its own where the chart is about runs and not about mechanisms.
 * @type {import("../../js/mechanisms.js").Look[]}
 */
const run_looks = [
  { hue: "other", shade: 1, shape: "circle" },
  { hue: "socket", shade: 1, shape: "square" },
  { hue: "memory", shade: 1, shape: "triangle" },
  { hue: "stream", shade: 1, shape: "diamond" },
  { hue: "queue", shade: 1, shape: "wedge" },
  { hue: "signal", shade: 1, shape: "plus" },
  { hue: "technique", shade: 1, shape: "hexagon" },
  { hue: "socket", shade: 3, shape: "cross" },
  { hue: "memory", shade: 5, shape: "circle" },
];

/** @param {number} place  0: the base */
export const runLook = (place) => run_looks[place % run_looks.length];

/**
 * How the line of a run is drawn where colour already says the mechanism: the base dashed, the first other solid.
 * @param {number} place
 */
export const runDash = (place) => (place === 0 ? 1 : place === 1 ? 0 : 2 + ((place - 2) % 3));

const dash_words = ["solid", "dashed", "dotted", "dash-dotted", "long-dashed"];

/** Which line is whose. @param {readonly Side[]} sides */
export const dashText = (sides) => sides.map(({ name }, place) => `${name} ${dash_words[runDash(place)]}`).join(", ");

/**
 * The trials of a case, by its key.
 * @param {Side} side
 * @returns {Map<string, Trial[]>}
 */
export function trialsByCase({ cases, trials }) {
  const keys = new Map(cases.map((one) => [one.number, caseKey(one)]));
  /** @type {Map<string, Trial[]>} */
  const found = new Map();
  for (const trial of trials) {
    const key = keys.get(trial.case);
    if (key === undefined) continue;
    const list = found.get(key);
    if (list) list.push(trial);
    else found.set(key, [trial]);
  }
  return found;
}

/** Cases that all runs have something of, in the order of the base. @param {readonly Side[]} sides @returns {Case[]} */
export function commonCases([base, ...others]) {
  const keys = others.map(({ cases }) => new Set(cases.map(caseKey)));
  return base.cases.filter((one) => keys.some((set) => set.has(caseKey(one))));
}
