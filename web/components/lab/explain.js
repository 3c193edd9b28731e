/** What came out, whether it was predicted, why the kernel did so, and where to go from here. */

import { h, setChildren } from "../../js/dom.js";
import { evidenceRows } from "../../js/evidence.js";
import { answerText, defaultsOf, neighboursOf, permalinkOf, quotedAnswer, sameParameters } from "../../js/lab-parameters.js";
import { messageAt, say } from "../../js/messages.js";

/**
 * @typedef {import("../../js/types.js").Lab} Lab
 * @typedef {import("../../js/types.js").Attempt} Attempt
 */

const suggestions_max = 4;

/** @param {Lab} lab @param {Attempt} attempt */
function createAgreement(lab, { prediction, outcome, agrees }) {
  const came = quotedAnswer(lab.prediction, outcome);
  if (outcome === null || outcome === undefined) return null;
  if (!prediction) return h("p", { class: "agreement" }, say("explain.outcome", { outcome: came }));
  const said = quotedAnswer(lab.prediction, prediction.answer);
  return h(
    "p",
    { class: agrees ? "agreement good" : "agreement bad" },
    h("span", { "aria-hidden": "true" }, agrees ? "✓ " : "✕ "),
    say(agrees ? "explain.agrees" : "explain.differs", { said, came }),
  );
}

/** @param {Attempt} attempt */
function createSkipped({ skipped }) {
  if (!skipped) return null;
  return h(
    "div",
    { class: "callout warn" },
    h("p", {}, h("strong", {}, say("explain.skipped", { call: skipped.call, errno: skipped.errno }))),
    h("p", {}, skipped.what),
  );
}

/** @param {Attempt} attempt */
function createClaims({ claims }) {
  if (claims.length === 0) return null;
  return h(
    "div",
    {},
    h("h3", {}, say("explain.claims")),
    h(
      "ul",
      { class: "link-list" },
      claims.map((number) =>
        h("li", {}, h("a", { href: `/claims/${number}` }, String(messageAt(`claims.${number}.text`) ?? say("claim.number", { number })))),
      ),
    ),
  );
}

/**
 * Those the lab's author wrote, but for the one that was just tried; else each choice that was not taken.
 * @param {Lab} lab
 * @param {Attempt} attempt
 * @returns {import("../../js/types.js").Suggestion[]}
 */
function suggestionsOf(lab, { parameters }) {
  if (lab.next.length === 0)
    return neighboursOf(lab, parameters).map(({ parameter, value, parameters: next }) => ({
      text: `${parameter.title}: ${answerText(parameter, value)}`,
      parameters: next,
    }));
  return lab.next.filter(({ parameters: next }) => {
    const changed = { ...defaultsOf(lab), ...next };
    return Object.keys(next).length === 0 || !sameParameters(lab, changed, parameters);
  });
}

/** @param {Lab} lab @param {Attempt} attempt */
function createNext(lab, attempt) {
  const suggestions = suggestionsOf(lab, attempt).slice(0, suggestions_max);
  if (suggestions.length === 0) return null;
  const items = suggestions.map(({ text, parameters }) => {
    if (Object.keys(parameters).length === 0) return h("li", {}, text);
    return h("li", {}, h("a", { href: permalinkOf(lab, { ...defaultsOf(lab), ...parameters }) }, text));
  });
  return h("div", {}, h("h3", {}, say("explain.next")), h("ul", { class: "link-list" }, items));
}

/** @param {Record<string, any>} evidence */
export function createEvidence(evidence) {
  const rows = evidenceRows(evidence);
  if (rows.length === 0) return null;
  return h(
    "table",
    { class: "data-table key-values evidence" },
    h("caption", { class: "visually-hidden" }, say("explain.evidence")),
    h(
      "tbody",
      {},
      rows.map(({ name, value }) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value))),
    ),
  );
}

/** Blank lines part paragraphs. @param {string|null|undefined} text */
export const paragraphs = (text) => (text ?? "").split(/\n{2,}/).filter(Boolean).map((one) => h("p", {}, one));

export function createExplain() {
  const body = h("div", { class: "stack" });
  const element = h(
    "section",
    { class: "card lab-answer lab-explain", "aria-labelledby": "lab-explain", hidden: true },
    h("h2", { id: "lab-explain" }, say("explain.title")),
    body,
  );
  return {
    element,
    /** For paper, where nothing can be opened. */
    unfold() {
      for (const one of body.querySelectorAll("details")) one.open = true;
    },
    /** @param {Lab} lab @param {Attempt|null} attempt  null: nothing has come out yet */
    update(lab, attempt) {
      element.hidden = attempt === null;
      if (!attempt) return;
      const { state, message, evidence, explanation } = attempt;
      const failed = state === "failed" || state === "cancelled";
      const proof = createEvidence(evidence ?? {});
      setChildren(
        body,
        failed &&
          h("div", { class: "callout bad" }, h("p", {}, h("strong", {}, say(`explain.${state}`))), message && h("p", {}, message)),
        createAgreement(lab, attempt),
        createSkipped(attempt),
        h("div", { class: "prose explanation" }, paragraphs(explanation)),
        createNext(lab, attempt),
        proof && h("details", {}, h("summary", {}, say("explain.evidence")), proof),
        createClaims(attempt),
      );
    },
  };
}
