/** A control with its label, its hint and the server's objection to it. */

import { h, setAttribute, setText } from "../../js/dom.js";

/**
 * @typedef {object} Field
 * @property {string} pointer  of what it sets, in the document that is sent
 * @property {HTMLElement} element
 * @property {(text: string) => void} setHint
 * @property {(text: string) => void} setError
 * @property {() => void} focus
 */

/**
 * @param {string} pointer
 * @param {string} label
 * @param {HTMLInputElement|HTMLSelectElement|HTMLTextAreaElement} control
 * @param {string} [help]
 * @returns {Field}
 */
export function createField(pointer, label, control, help = "") {
  const id = `field${pointer.replaceAll("/", "-")}`;
  const messages = createMessages(id, help);
  control.id = id;
  control.setAttribute("aria-describedby", messages.ids);
  return {
    pointer,
    element: h("div", { class: "field" }, h("label", { for: id }, label), control, messages.hint, messages.error),
    setHint: messages.setHint,
    setError: (text) => {
      setAttribute(control, "aria-invalid", text ? "true" : null);
      messages.setError(text);
    },
    focus: () => control.focus(),
  };
}

/**
 * Several controls that answer one question.
 * @param {string} pointer
 * @param {string} legend
 * @param {import("../../js/dom.js").Child[]} content
 * @returns {Field}
 */
export function createGroup(pointer, legend, content) {
  const id = `field${pointer.replaceAll("/", "-")}`;
  const messages = createMessages(id, "");
  const element = h(
    "fieldset",
    { class: "field", id, "aria-describedby": messages.ids },
    h("legend", {}, legend),
    messages.error,
    messages.hint,
    ...content,
  );
  return {
    pointer,
    element,
    setHint: messages.setHint,
    setError: (text) => {
      element.classList.toggle("invalid", text !== "");
      messages.setError(text);
    },
    focus: () => /** @type {HTMLElement|null} */ (element.querySelector("input:not(:disabled), select"))?.focus(),
  };
}

/** @param {string} id @param {string} help */
function createMessages(id, help) {
  const hint = h("p", { class: "hint", id: `${id}-hint` }, help);
  const error = h("p", { class: "error", id: `${id}-error`, hidden: true });
  return {
    hint,
    error,
    ids: `${id}-error ${id}-hint`,
    /** @param {string} text */
    setHint: (text) => setText(hint, text || help),
    /** @param {string} text */
    setError: (text) => {
      error.hidden = text === "";
      setText(error, text);
    },
  };
}

/**
 * @param {string} name
 * @param {string} value
 * @param {Record<string, string|boolean>} [attributes]
 */
export const textInput = (name, value, attributes = {}) =>
  h("input", { type: "text", name, value, autocomplete: "off", spellcheck: "false", ...attributes });

/** @param {string} name @param {string} value */
export const numberInput = (name, value) => textInput(name, value, { inputmode: "numeric" });

/**
 * @param {string} name
 * @param {string} value
 * @param {{value: string, text: string}[]} options
 */
export function selectInput(name, value, options) {
  const list = options.map((one) => h("option", { value: one.value, selected: one.value === value }, one.text));
  return h("select", { name }, list);
}

/**
 * @param {string} name
 * @param {string} value
 * @param {boolean} checked
 * @param {import("../../js/dom.js").Child} label
 * @param {{disabled?: boolean, note?: string}} [more]
 */
export function choiceInput(name, value, checked, label, { disabled = false, note = "" } = {}) {
  return h(
    "label",
    { class: disabled ? "choice disabled" : "choice" },
    h("input", { type: "checkbox", name, value, checked, disabled }),
    label,
    note && h("small", {}, note),
  );
}
