/** What was tried before: every attempt, how the outcomes spread, and what others predicted. */

import { h, setAttribute, setChildren, syncChildren } from "../../js/dom.js";
import { formatTime } from "../../js/format.js";
import { answerText, permalinkOf } from "../../js/lab-parameters.js";
import { say, sayCount } from "../../js/messages.js";
import { createTally } from "./tally.js";

/**
 * @typedef {import("../../js/types.js").Lab} Lab
 * @typedef {import("../../js/types.js").Attempt} Attempt
 */

/** @param {import("../../js/types.js").AnswerCounts} counts */
const countedOf = (counts) => counts.map(({ answer, count }) => ({ value: answer, count }));

/** @param {Lab} lab @param {Attempt} attempt */
function parametersText(lab, { parameters }) {
  const changed = lab.parameters.filter(({ name, default: standard }) => parameters[name] !== standard);
  if (changed.length === 0) return say("attempts.defaults");
  return changed.map((one) => `${one.title}: ${answerText(one, parameters[one.name])}`).join(", ");
}

/**
 * @typedef {object} Row
 * @property {Lab} lab
 * @property {Attempt} attempt
 * @property {boolean} current  it is what the page shows
 * @property {boolean} told  what was predicted and what came out may be read
 */

/** @param {Row} row */
function outcomeText({ lab, attempt: { agrees, state, outcome }, told }) {
  if (state !== "done") return say(`attempt_state.${state}`);
  if (!told) return "";
  const mark = agrees === null || agrees === undefined ? "" : agrees ? "✓ " : "✕ ";
  return `${mark}${answerText(lab.prediction, outcome)}`;
}

/** @param {Row} row */
function createCells(row) {
  const { lab, attempt, told } = row;
  const { prediction, agrees, created_ms, student } = attempt;
  const predicted = prediction ? answerText(lab.prediction, prediction.answer) : "–";
  return [
    h("td", { class: "nowrap" }, formatTime(created_ms)),
    h("td", {}, student ?? ""),
    h("td", {}, parametersText(lab, attempt)),
    h("td", {}, told ? predicted : ""),
    h("td", { class: !told ? null : agrees === false ? "bad" : agrees ? "good" : null }, outcomeText(row)),
  ];
}

/** @param {Row} first */
function createRow({ lab, attempt: { id, parameters } }) {
  const link = h("a", { href: permalinkOf(lab, parameters, { attempt: String(id) }) }, String(id));
  const element = h("tr", {}, h("th", { scope: "row" }, link));
  /** @type {Element[]} */
  let cells = [];
  return {
    element,
    /** @param {Row} row */
    update(row) {
      element.classList.toggle("target", row.current);
      for (const cell of cells) cell.remove();
      cells = createCells(row);
      element.append(...cells);
    },
  };
}

/**
 * How the outcomes with these parameters spread, and what was predicted.
 * @param {Lab} lab
 * @param {Attempt} current
 * @param {import("../../js/types.js").Predictions} everybody
 * @param {string} group
 */
function createTallies(lab, current, { predicted, observed }, group) {
  const observed_count = observed.reduce((sum, { count }) => sum + count, 0);
  return [
    observed_count > 1 &&
      createTally({
        caption: sayCount("attempts.spread", observed_count),
        head: say("attempts.outcome"),
        count_head: say("attempts.count"),
        counted: countedOf(observed),
        of: lab.prediction,
        signs: [
          { value: current.outcome, text: say("attempts.this") },
          { value: current.prediction?.answer, text: say("attempts.you_said") },
        ],
      }),
    predicted.length > 0 &&
      createTally({
        caption: group ? say("attempts.predictions_of", { group }) : say("attempts.predictions"),
        head: say("attempts.predicted"),
        count_head: say("attempts.count"),
        counted: countedOf(predicted),
        of: lab.prediction,
        signs: [
          { value: current.outcome, text: say("attempts.came_out") },
          { value: current.prediction?.answer, text: say("attempts.you_said") },
        ],
      }),
  ];
}

const columns = ["number", "time", "student", "parameters", "predicted", "outcome"];

/** @param {Lab} lab @param {string} group */
const csvAddress = (lab, group) =>
  `/api/v1/labs/${lab.name}/attempts?format=csv${group ? `&group=${encodeURIComponent(group)}` : ""}`;

/** Rows stay while others come, and with them the focus: a class tries a lab all at once. */
export function createAttempts() {
  const csv = h("a", { class: "no-print" }, say("attempts.csv"));
  const tallies = h("div", { class: "columns" });
  const body = h("tbody", {});
  const kept_back = h("p", { class: "muted" }, say("attempts.kept_back"));
  const older = h("p", { class: "muted" }, say("attempts.older"));
  const table = h(
    "table",
    { class: "data-table" },
    h("caption", { class: "visually-hidden" }, say("attempts.title")),
    h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, say(`attempts.${name}`))))),
    body,
  );
  const element = h(
    "section",
    { class: "card attempts no-print", "aria-labelledby": "lab-attempts" },
    h(
      "div",
      { class: "stack" },
      h("div", { class: "card-head" }, h("h2", { id: "lab-attempts" }, say("attempts.title")), csv),
      tallies,
      h("div", { class: "scroll-x", role: "region", tabindex: "0", "aria-label": say("attempts.title") }, table),
      kept_back,
      older,
    ),
  );
  return {
    element,
    /**
     * @param {object} props
     * @param {Lab} props.lab
     * @param {readonly Attempt[]} props.attempts
     * @param {boolean} props.more  the archive has older ones
     * @param {Attempt|null} props.current  before there is one, what others said and saw is kept back
     * @param {import("../../js/types.js").Predictions|null} props.everybody  who took the parameters of the current one
     * @param {import("../../js/student.js").Student} props.who  sits here
     */
    update({ lab, attempts, more, current, everybody, who }) {
      const rows = attempts.map((attempt) => ({
        lab,
        attempt,
        current: attempt.id === current?.id,
        told: current !== null || (attempt.student ?? "") === who.student,
      }));
      element.hidden = rows.length === 0;
      setAttribute(csv, "href", csvAddress(lab, who.group));
      setAttribute(csv, "download", `${lab.name}.csv`);
      setChildren(tallies, current && everybody ? createTallies(lab, current, everybody, who.group) : []);
      syncChildren(body, rows, ({ attempt }) => String(attempt.id), createRow);
      kept_back.hidden = rows.every(({ told }) => told);
      older.hidden = !more;
    },
  };
}
