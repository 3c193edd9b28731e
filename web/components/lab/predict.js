/** The prediction: a closed answer and a reason, locked before anything runs. It may be left out, but only on purpose. */

import { h, setAttribute, setChildren, setText } from "../../js/dom.js";
import { answerText, groupDigits, readValue } from "../../js/lab-parameters.js";
import { say } from "../../js/messages.js";

/**
 * @typedef {import("../../js/types.js").Answer} Answer
 * @typedef {{answer: Answer, reason: string}} Prediction
 * @typedef {"open"|"busy"|"locked"} Stage  locked: made, and what came of it is seen
 */

/** @param {import("../../js/types.js").LabPrediction} of @param {() => void} onchange */
function createAnswer(of, onchange) {
  if (of.type === "integer") {
    const input = h("input", {
      type: "text",
      inputmode: "numeric",
      class: "mono",
      id: "prediction",
      autocomplete: "off",
      "aria-describedby": "prediction-hint",
      oninput: () => {
        setAttribute(input, "aria-invalid", input.value !== "" && readValue(of, input.value).value === null ? "true" : null);
        onchange();
      },
    });
    const bounds = say("setup.range", { min: groupDigits(of.min ?? 0), max: groupDigits(of.max ?? 0) });
    const hint = of.tolerance_percent ? `${bounds}; ${say("predict.tolerance", { percent: of.tolerance_percent })}` : bounds;
    return {
      element: h(
        "div",
        { class: "lab-field" },
        h("label", { for: "prediction", class: "prediction-question" }, of.title),
        input,
        h("p", { class: "hint", id: "prediction-hint" }, hint),
      ),
      read: () => readValue(of, input.value).value,
      clear: () => {
        input.value = "";
      },
    };
  }
  const choices = of.choices ?? [];
  const inputs = choices.map(({ value }) => h("input", { type: "radio", name: "prediction", value: String(value), onchange }));
  return {
    element: h(
      "fieldset",
      { class: "lab-field" },
      h("legend", { class: "prediction-question" }, of.title),
      inputs.map((input, i) => h("label", { class: "choice" }, input, h("span", {}, choices[i].title))),
    ),
    read: () => choices[inputs.findIndex((input) => input.checked)]?.value ?? null,
    clear: () => {
      for (const input of inputs) input.checked = false;
    },
  };
}

/**
 * @param {import("../../js/types.js").Lab} lab
 * @param {{onrun: (prediction: Prediction|null) => void, onagain: () => void}} to  onagain: predict anew
 */
export function createPredict(lab, { onrun, onagain }) {
  const answer = createAnswer(lab.prediction, () => refresh());
  const reason = h("textarea", { id: "prediction-reason", rows: 2, maxlength: 1000 });
  let runnable = true;
  const lock = h("button", { type: "submit", class: "primary" }, say("predict.lock"));
  const skip = h("button", { type: "button", class: "link", onclick: () => onrun(null) }, say("predict.skip"));
  const form = h(
    "form",
    {
      class: "stack",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        const value = answer.read();
        if (value !== null && runnable) onrun({ answer: value, reason: reason.value.trim() });
      },
    },
    answer.element,
    h("div", { class: "lab-field" }, h("label", { for: "prediction-reason" }, say("predict.reason")), reason),
    h("div", { class: "row" }, lock, skip),
  );
  const said = h("p", { class: "prediction-said" });
  const because = h("blockquote", { class: "muted" });
  const again = h("button", { type: "button", class: "link", onclick: onagain }, say("predict.anew"));
  const locked = h("div", { class: "stack" }, said, because, again);

  function refresh() {
    lock.disabled = !runnable || answer.read() === null;
    skip.disabled = !runnable;
  }
  refresh();

  return {
    element: h(
      "section",
      { class: "lab-part lab-predict", "aria-labelledby": "lab-predict" },
      h("h2", { id: "lab-predict" }, say("predict.title")),
      form,
      locked,
    ),
    /** @param {Stage} stage @param {Prediction|null} prediction @param {boolean} possible  the parameters are in bounds */
    update(stage, prediction, possible) {
      runnable = possible;
      form.hidden = stage !== "open";
      locked.hidden = stage === "open";
      again.hidden = stage !== "locked";
      setChildren(
        said,
        prediction
          ? [h("span", { class: "prediction-question" }, `${lab.prediction.title} `), h("strong", {}, answerText(lab.prediction, prediction.answer))]
          : say("predict.none"),
        " ",
        prediction && h("span", { class: "chip" }, say("predict.locked")),
      );
      setText(because, prediction?.reason ?? "");
      because.hidden = !prediction?.reason;
      refresh();
    },
    /** Where an answer begins, while one can be given. @returns {HTMLElement|null} */
    first: () => (form.hidden ? null : answer.element.querySelector("input")),
    /** Empties the form for another prediction. */
    clear() {
      answer.clear();
      reason.value = "";
      refresh();
    },
  };
}
