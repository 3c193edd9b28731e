/** How often each value came out: a table whose counts are bars, too. */

import { h } from "../../js/dom.js";
import { formatCount } from "../../js/format.js";
import { answerText } from "../../js/lab-parameters.js";
import { binsOf, holds } from "../../js/tally.js";

/**
 * @typedef {import("../../js/types.js").Answer} Answer
 * @typedef {{value: Answer|null|undefined, text: string}} Sign  points at the row that holds its value
 */

/**
 * @param {object} props
 * @param {string} props.caption
 * @param {string} props.head  what the values are
 * @param {string} props.count_head
 * @param {readonly {value: Answer, count: number}[]} props.counted
 * @param {{choices: import("../../js/types.js").Choice[]|null}} [props.of]  gives choices their titles
 * @param {string} [props.unit]
 * @param {Sign[]} [props.signs]
 */
export function createTally({ caption, head, count_head, counted, of, unit = "", signs = [] }) {
  const bins = binsOf(counted);
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const rows = bins.map((bin) => {
    const fill = h("span", { class: "tally-fill" });
    fill.style.width = `${(100 * bin.count) / most}%`;
    fill.hidden = bin.count === 0;
    const [from, to] = [answerText(of, bin.from), answerText(of, bin.to)];
    const here = signs.filter(({ value }) => holds(bin, value));
    return h(
      "tr",
      { class: here.length > 0 ? "pointed" : null },
      h("th", { scope: "row" }, from === to ? from : `${from} – ${to}`, unit && h("small", {}, ` ${unit}`)),
      h("td", { class: "tally-bar" }, h("span", { class: "tally-track", "aria-hidden": "true" }, fill)),
      h("td", { class: "number" }, formatCount(bin.count)),
      h("td", { class: "tally-signs" }, here.map(({ text }) => h("span", { class: "chip active" }, text))),
    );
  });
  return h(
    "table",
    { class: "data-table tally" },
    h("caption", {}, caption),
    h(
      "thead",
      { class: "visually-hidden" },
      h(
        "tr",
        {},
        h("th", { scope: "col" }, head),
        h("td", {}),
        h("th", { scope: "col" }, count_head),
        h("td", {}),
      ),
    ),
    h("tbody", {}, rows),
  );
}
