/** What was tried before: every attempt, how the outcomes spread, and what others predicted. */

import { h, setChildren } from "../../js/dom.js";
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

/** @param {Lab} lab @param {Attempt} attempt @param {number|null} current */
function createRow(lab, attempt, current) {
  const { id, prediction, outcome, agrees, state, created_ms, student } = attempt;
  const mark = agrees === null || agrees === undefined ? "" : agrees ? "✓ " : "✕ ";
  return h(
    "tr",
    { class: id === current ? "target" : null },
    h("th", { scope: "row" }, h("a", { href: permalinkOf(lab, attempt.parameters, { attempt: String(id) }) }, String(id))),
    h("td", { class: "nowrap" }, formatTime(created_ms)),
    h("td", {}, student ?? ""),
    h("td", {}, parametersText(lab, attempt)),
    h("td", {}, prediction ? answerText(lab.prediction, prediction.answer) : "–"),
    h("td", { class: agrees === false ? "bad" : agrees ? "good" : null }, state === "done" ? `${mark}${answerText(lab.prediction, outcome)}` : say(`attempt_state.${state}`)),
  );
}

export function createAttempts() {
  const body = h("div", { class: "stack" });
  const element = h("section", { class: "card attempts no-print", "aria-labelledby": "lab-attempts" }, body);
  return {
    element,
    /**
     * @param {object} props
     * @param {Lab} props.lab
     * @param {readonly Attempt[]} props.attempts
     * @param {boolean} props.more  the archive has older ones
     * @param {Attempt|null} props.current
     * @param {import("../../js/types.js").Predictions|null} props.everybody  who took the parameters of the current one
     * @param {string} props.group
     */
    update({ lab, attempts, more, current, everybody, group }) {
      element.hidden = attempts.length === 0;
      const { predicted = [], observed = [] } = (current && everybody) ?? {};
      const observed_count = observed.reduce((sum, { count }) => sum + count, 0);
      const columns = ["number", "time", "student", "parameters", "predicted", "outcome"];
      setChildren(
        body,
        h(
          "div",
          { class: "card-head" },
          h("h2", { id: "lab-attempts" }, say("attempts.title")),
          h("a", { href: `/api/v1/labs/${lab.name}/attempts?format=csv${group ? `&group=${encodeURIComponent(group)}` : ""}`, download: `${lab.name}.csv`, class: "no-print" }, say("attempts.csv")),
        ),
        h(
          "div",
          { class: "columns" },
          observed_count > 1 &&
            createTally({
              caption: sayCount("attempts.spread", observed_count),
              head: say("attempts.outcome"),
              count_head: say("attempts.count"),
              counted: countedOf(observed),
              of: lab.prediction,
              signs: [
                { value: current?.outcome, text: say("attempts.this") },
                { value: current?.prediction?.answer, text: say("attempts.you_said") },
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
                { value: current?.outcome, text: say("attempts.came_out") },
                { value: current?.prediction?.answer, text: say("attempts.you_said") },
              ],
            }),
        ),
        h(
          "div",
          { class: "scroll-x", role: "region", tabindex: "0", "aria-label": say("attempts.title") },
          h(
            "table",
            { class: "data-table" },
            h("caption", { class: "visually-hidden" }, say("attempts.title")),
            h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, say(`attempts.${name}`))))),
            h("tbody", {}, attempts.map((one) => createRow(lab, one, current?.id ?? null))),
          ),
        ),
        more && h("p", { class: "muted" }, say("attempts.older")),
      );
    },
  };
}
