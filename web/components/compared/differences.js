/** What reads otherwise on the machines, in the isolation and in the settings of the runs. */

import { h, setChildren, setText } from "../../js/dom.js";
import { differencesOf, medianOf } from "../../js/compare.js";
import { formatNumber, formatSpan, formatTime } from "../../js/format.js";
import { factText } from "../facts/facts.js";

/**
 * @typedef {import("./model.js").Compared} Compared
 * @typedef {import("./model.js").Side} Side
 * @typedef {import("../../js/types.js").Facts} Facts
 */

/** Names and notes are shown elsewhere; a seed is meant to differ. */
const unremarkable = ["name", "note", "tags", "seed", "preset"];

/** @param {Side} side @returns {Facts} */
const settingsOf = ({ run }) =>
  Object.fromEntries(Object.entries(run.experiment).filter(([name]) => !unremarkable.includes(name)));

/** What went on meanwhile: always shown, since it always differs. @param {Side} side @returns {Facts} */
function circumstancesOf({ run, trials }) {
  const taken = trials.filter(({ state }) => state === "done");
  const loads = taken.flatMap(({ load }) => load ?? []);
  const classes = [...new Set(taken.flatMap(({ distance }) => distance ?? []))].sort();
  const flagged = taken.filter(({ flags }) => flags.length > 0).length;
  return {
    started: formatTime(run.started_ms),
    took: run.started_ms !== null && run.finished_ms !== null ? formatSpan(run.finished_ms - run.started_ms) : "–",
    "load at start": loads.length > 0 ? formatNumber(loads[0]) : "–",
    "median load": formatNumber(medianOf(loads)),
    "core distances": classes.join(", ") || "–",
    "trials with a flag": `${flagged} of ${taken.length}`,
  };
}

/** @param {boolean|null} comparable */
function comparableText(comparable) {
  if (comparable === null) return "not every run says on which machine it was taken";
  return comparable ? "the machines compare" : "the machines or their isolation do not compare";
}

/** @param {string} title @param {{name: string, values: unknown[]}[]} rows */
const createRows = (title, rows) => [
  h("tr", { class: "group" }, h("th", { scope: "rowgroup", colspan: 99 }, title)),
  ...rows.map(({ name, values }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name.replaceAll("_", " ")),
      values.map((value) => h("td", {}, factText(name, value))),
    ),
  ),
];

const nothing_differs = "The machines, their isolation and the settings of the experiments read the same.";

export function createDifferences() {
  const table = h("table", { class: "data-table compared-differences" });
  const alike = h("p", { class: "compared-alike" }, nothing_differs);
  const note = h("small", { class: "muted" });
  return {
    element: h(
      "section",
      { class: "card flush" },
      h("div", { class: "card-head" }, h("h2", {}, "What differs between the runs"), note),
      alike,
      h(
        "div",
        { class: "scroll-x", role: "region", tabindex: "0", "aria-label": "What differs between the runs" },
        table,
      ),
    ),
    /** @param {Compared} compared */
    update({ sides, comparison }) {
      const known = sides.every(({ machine, run }) => machine !== null || run.machine === null);
      const machine = known ? differencesOf(sides.map((side) => side.machine?.facts ?? {})) : [];
      const isolation = differencesOf(sides.map(({ run }) => run.isolation));
      const settings = differencesOf(sides.map(settingsOf));
      const circumstances = sides.map(circumstancesOf);
      alike.hidden = machine.length + isolation.length + settings.length > 0;
      setText(note, comparableText(comparison.comparable));
      setChildren(
        table,
        h("caption", { class: "visually-hidden" }, "What differs between the runs"),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("td", {}),
            sides.map(({ name }) => h("th", { scope: "col" }, name)),
          ),
        ),
        h(
          "tbody",
          {},
          machine.length > 0 ? createRows("Machine", machine) : [],
          isolation.length > 0 ? createRows("Isolation", isolation) : [],
          settings.length > 0 ? createRows("Settings", settings) : [],
          createRows(
            "Meanwhile",
            Object.keys(circumstances[0]).map((name) => ({ name, values: circumstances.map((one) => one[name]) })),
          ),
        ),
      );
    },
  };
}
