/** Facts as a table of names and values. */

import { h } from "../../js/dom.js";
import { formatBytes } from "../../js/format.js";

/** @param {string} name @param {unknown} value @returns {string} */
export function factText(name, value) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (/_bytes(_|$)/.test(name) && /^\d+$/.test(String(value))) return formatBytes(Number(value));
  if (Array.isArray(value)) return value.map((one) => factText("", one)).join(", ") || "–";
  if (typeof value === "object")
    return Object.entries(value)
      .map(([key, one]) => `${key.replaceAll("_", " ")}: ${factText(key, one)}`)
      .join(", ");
  return String(value);
}

/**
 * @param {string} title
 * @param {import("../../js/types.js").Facts} facts
 * @param {import("../../js/types.js").Facts} [here]  what stands here instead, where it differs
 */
export function createFacts(title, facts, here = {}) {
  const missing = Object.keys(here).filter((name) => !(name in facts));
  const rows = Object.entries({ ...facts, ...Object.fromEntries(missing.map((name) => [name, null])) });
  return h(
    "table",
    { class: "data-table key-values" },
    h("caption", { class: "visually-hidden" }, title),
    h(
      "tbody",
      {},
      rows.map(([name, value]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, name.replaceAll("_", " ")),
          h(
            "td",
            {},
            factText(name, value),
            name in here && h("div", { class: "conditions" }, `here: ${factText(name, here[name])}`),
          ),
        ),
      ),
    ),
  );
}
