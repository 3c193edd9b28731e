/** A question with a few answers, the answer kept in the address. */

import { h, setChildren } from "../../js/dom.js";
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

/**
 * The same with answers that come and go.
 * @param {string} name  of the parameter in the address
 * @param {string} label
 */
export function createSelect(name, label) {
  const select = h("select", { name, onchange: () => navigateQuery({ [name]: select.value }) });
  let shown = "";
  return {
    element: h("label", {}, h("span", {}, label), select),
    /** @param {{value: string, text: string}[]} options @param {string} chosen */
    update(options, chosen) {
      const now = JSON.stringify(options);
      if (now !== shown) {
        shown = now;
        setChildren(
          select,
          options.map(({ value, text }) => h("option", { value }, text)),
        );
      }
      select.value = chosen;
    },
  };
}
