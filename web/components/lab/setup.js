/** The parameters of a lab within their bounds: sliders beside numbers, choices as buttons. */

import { h, setAttribute, setText } from "../../js/dom.js";
import { groupDigits, readValue, refusalsOf, sliderOf } from "../../js/lab-parameters.js";
import { say } from "../../js/messages.js";

/**
 * @typedef {import("../../js/types.js").Answer} Answer
 * @typedef {import("../../js/types.js").LabParameter} LabParameter
 * @typedef {{element: HTMLElement, read: () => Answer|null, set: (value: Answer) => void, refuse: (text: string) => void, disable: (disabled: boolean) => void}} Field
 */

/** @param {LabParameter} parameter */
function rangeText({ name, type, min, max, step }) {
  const range = say("setup.range", { min: groupDigits(min ?? 0), max: groupDigits(max ?? 0) });
  if (type === "text") return say("setup.characters", { range });
  const text = (step ?? 1) > 1 ? say("setup.multiple", { range, step }) : range;
  return /_bytes$/.test(name) ? `${text} B` : text;
}

/**
 * What is typed, read as the parameter is to be read, with what is wrong with it below.
 * @param {LabParameter} parameter
 * @param {Record<string, any>} attributes  of the input
 * @param {{onchange: () => void, beside?: {element: HTMLInputElement, follow: (value: Answer) => void}}} options  beside:
 *   another control of the same value
 * @returns {Field}
 */
function createTyped(parameter, attributes, { onchange, beside }) {
  const { name, title } = parameter;
  const id = `lab-${name}`;
  const help = rangeText(parameter);
  const error = h("p", { class: "error", id: `${id}-error`, hidden: true });
  const input = h("input", {
    type: "text",
    id,
    name,
    class: "mono",
    autocomplete: "off",
    ...attributes,
    "aria-describedby": `${id}-hint ${id}-error`,
    oninput: () => {
      follow();
      onchange();
    },
  });
  const read = () => readValue(parameter, input.value).value;
  /** @param {string} text */
  function refuse(text) {
    setAttribute(input, "aria-invalid", text ? "true" : null);
    setText(error, text);
    error.hidden = text === "";
  }
  function follow() {
    const value = read();
    if (value !== null) beside?.follow(value);
    refuse(value === null ? say("setup.refused", { range: help, got: input.value || "–" }) : "");
  }
  return {
    element: h(
      "div",
      { class: "lab-field" },
      h("div", { class: "lab-label" }, h("label", { for: id }, title), h("span", { class: "hint", id: `${id}-hint` }, help)),
      beside ? h("div", { class: "lab-number" }, input, beside.element) : input,
      error,
    ),
    read,
    set: (value) => {
      input.value = String(value);
      follow();
    },
    refuse,
    disable: (disabled) => {
      input.disabled = disabled;
      if (beside) beside.element.disabled = disabled;
    },
  };
}

/**
 * A number to type and a slider to drag, that follow each other.
 * @param {LabParameter} parameter
 * @param {() => void} onchange
 * @returns {Field}
 */
function createNumber(parameter, onchange) {
  const scale = sliderOf(parameter);
  const slider = h("input", {
    type: "range",
    min: 0,
    max: scale.steps,
    tabindex: -1,
    "aria-hidden": "true",
    oninput: () => {
      field.set(scale.valueAt(Number(slider.value)));
      onchange();
    },
  });
  const field = createTyped(
    parameter,
    { inputmode: "numeric" },
    { onchange, beside: { element: slider, follow: (value) => (slider.value = String(scale.stepOf(Number(value)))) } },
  );
  return field;
}

/**
 * A line of printable characters.
 * @param {LabParameter} parameter
 * @param {() => void} onchange
 * @returns {Field}
 */
const createText = (parameter, onchange) =>
  createTyped(parameter, { spellcheck: "false", maxlength: parameter.max }, { onchange });

/**
 * @param {LabParameter} parameter
 * @param {() => void} onchange
 * @returns {Field}
 */
function createChoice(parameter, onchange) {
  const { name, title, type } = parameter;
  const choices =
    type === "boolean"
      ? [
          { value: false, title: say("setup.no") },
          { value: true, title: say("setup.yes") },
        ]
      : (parameter.choices ?? []);
  const error = h("p", { class: "error", hidden: true });
  const inputs = choices.map(({ value }) =>
    h("input", { type: "radio", name, value: String(value), onchange }),
  );
  return {
    element: h(
      "fieldset",
      { class: "lab-field" },
      h("legend", {}, title),
      h(
        "div",
        { class: "segments" },
        inputs.map((input, i) => h("label", { class: "segment" }, input, h("span", {}, choices[i].title))),
      ),
      error,
    ),
    read: () => choices[inputs.findIndex((input) => input.checked)]?.value ?? null,
    set: (value) => {
      for (const input of inputs) input.checked = input.value === String(value);
    },
    refuse: (text) => {
      setText(error, text);
      error.hidden = text === "";
    },
    disable: (disabled) => {
      for (const input of inputs) input.disabled = disabled;
    },
  };
}

const creators = { integer: createNumber, text: createText, choice: createChoice, boolean: createChoice };

/**
 * @param {import("../../js/types.js").Lab} lab
 * @param {{onchange: (parameters: import("../../js/types.js").Parameters|null) => void, ondefaults: () => void}} to
 *        null: something is out of its bounds
 */
export function createSetup(lab, { onchange, ondefaults }) {
  /** Those whose conflicts are shown; what is typed clears its own field. */
  let shown = "";
  const told = () => {
    shown = "";
    onchange(read());
  };
  const fields = new Map(lab.parameters.map((one) => [one.name, creators[one.type](one, told)]));
  const defaults = h("button", { type: "button", class: "link", onclick: ondefaults }, say("setup.defaults"));

  function read() {
    const values = [...fields].map(([name, field]) => [name, field.read()]);
    return values.some(([, value]) => value === null) ? null : Object.fromEntries(values);
  }

  /** What does not go together, or what the server objected to, and nothing else. @param {readonly import("../../js/api.js").FieldError[]} errors */
  function refuse(errors) {
    for (const field of fields.values()) field.refuse("");
    for (const { pointer, detail } of errors) fields.get(pointer.replace("/parameters/", ""))?.refuse(detail);
  }

  return {
    element: h(
      "section",
      { class: "lab-part lab-setup", "aria-labelledby": "lab-setup" },
      h("div", { class: "card-head" }, h("h2", { id: "lab-setup" }, say("setup.title")), defaults),
      lab.parameters.length === 0 && h("p", { class: "muted" }, say("setup.nothing")),
      [...fields.values()].map(({ element }) => element),
    ),
    /**
     * @param {import("../../js/types.js").Parameters} parameters
     * @param {boolean} busy
     * @param {boolean} in_bounds  else what was typed stays, to be mended
     */
    update(parameters, busy, in_bounds) {
      for (const [name, field] of fields) {
        if (in_bounds && field.read() !== parameters[name]) field.set(parameters[name]);
        field.disable(busy);
      }
      defaults.disabled = busy;
      const asked = JSON.stringify(parameters);
      if (in_bounds && asked !== shown) refuse(refusalsOf(lab, parameters));
      shown = asked;
    },
    refuse,
  };
}
