/** A question with a few answers, the answer kept in the address. */

import { h } from "../../js/dom.js";
import { navigateQuery } from "../../js/router.js";

/**
 * @template {string|number} T
 * @param {object} question
 * @param {string} question.name  of the parameter in the address
 * @param {string} question.label
 * @param {readonly T[]} question.values
 * @param {T|null} question.chosen
 * @param {(value: T) => string} question.text
 * @param {boolean} [question.optional]  "any" is an answer, too
 */
export function createFilter({ name, label, values, chosen, text, optional = false }) {
  const select = h(
    "select",
    { name, onchange: () => navigateQuery({ [name]: select.value }) },
    optional && h("option", { value: "" }, "any"),
    values.map((value) => h("option", { value, selected: value === chosen }, text(value))),
  );
  return h("label", {}, h("span", {}, label), select);
}
