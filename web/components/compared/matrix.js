/** All verdicts as a table: a row for each mechanism, a column for each pattern and size; a ratio with its sign. */

import { h, setChildren } from "../../js/dom.js";
import { groupKey, groupsOf, ratioText, verdict_words, verdicts } from "../../js/compare.js";
import { formatBytes, formatOfferedRate } from "../../js/format.js";
import { patternText, settingText } from "../../js/words.js";
import { createName } from "../marker/marker.js";
import { runName } from "./model.js";

/**
 * @typedef {import("./model.js").Compared} Compared
 * @typedef {import("../../js/types.js").Verdict} Verdict
 */

/** @param {Verdict} one @param {boolean} named */
function createVerdict(one, named) {
  const { text, sign, tone } = verdicts[one.verdict];
  return h(
    "div",
    { class: `verdict-cell ${tone}` },
    named && h("small", {}, runName(one.against)),
    h("span", { "aria-hidden": "true" }, sign),
    h("span", {}, ratioText(one.ratio)),
    h("span", { class: "visually-hidden" }, text),
  );
}

/** @param {ReturnType<typeof groupsOf<Verdict>>} groups */
function createHead(groups) {
  /** @type {Map<string, number>} */
  const spans = new Map();
  for (const { cases } of groups) spans.set(cases[0].pattern, (spans.get(cases[0].pattern) ?? 0) + 1);
  return h(
    "thead",
    {},
    h(
      "tr",
      {},
      h("th", { scope: "col", rowspan: 2 }, "Mechanism"),
      [...spans].map(([pattern, span]) => h("th", { scope: "colgroup", colspan: span }, patternText(pattern))),
    ),
    h(
      "tr",
      {},
      groups.map(({ cases: [{ message_bytes, rate_hz }] }) =>
        h(
          "th",
          { scope: "col" },
          formatBytes(message_bytes),
          rate_hz !== null && h("div", { class: "conditions" }, formatOfferedRate(rate_hz)),
        ),
      ),
    ),
  );
}

export function createComparedMatrix() {
  const table = h("table", { class: "data-table compared-matrix" });
  return {
    element: h(
      "section",
      { class: "card flush" },
      h(
        "div",
        { class: "card-head" },
        h("h2", {}, "Mechanisms and sizes"),
        h(
          "small",
          { class: "muted" },
          verdict_words.map((word) => `${verdicts[word].sign} ${verdicts[word].text}`).join("   "),
        ),
      ),
      h(
        "div",
        { class: "scroll-x", role: "region", tabindex: "0", "aria-label": "Verdicts by mechanism and size" },
        table,
      ),
    ),
    /** @param {Compared} compared */
    update({ comparison, legend, sides }) {
      const list = comparison.verdicts;
      const groups = groupsOf(list);
      /** @param {Verdict} one */
      const rowKey = (one) => `${one.mechanism} ${settingText(one)}`;
      const rows = [...new Set(list.map(rowKey))].map((key) => list.filter((one) => rowKey(one) === key));
      const alike = new Set(list.map(({ mechanism }) => mechanism)).size === rows.length;
      setChildren(
        table,
        h("caption", { class: "visually-hidden" }, "Ratio and verdict of each mechanism at each size"),
        createHead(groups),
        h(
          "tbody",
          {},
          rows.map((own) =>
            h(
              "tr",
              {},
              h(
                "th",
                { scope: "row" },
                createName(legend.lookOf(own[0].mechanism), legend.titleOf(own[0].mechanism)),
                !alike && h("div", { class: "conditions" }, settingText(own[0])),
              ),
              groups.map(({ key }) => {
                const here = own.filter((one) => groupKey(one) === key);
                return h(
                  "td",
                  {},
                  here.length === 0
                    ? h("span", { class: "muted" }, "–")
                    : here.map((one) => createVerdict(one, sides.length > 2)),
                );
              }),
            ),
          ),
        ),
      );
    },
  };
}
