/** Bytes in rows of sixteen. A mark is a frame, a number and a line in the key below, not a colour alone. */

import { h } from "../../js/dom.js";
import { rowsOf } from "../../js/hexdump.js";
import { say, sayCount } from "../../js/messages.js";

/** @typedef {import("../../js/hexdump.js").Row} Row */

/** @param {{cells: import("../../js/hexdump.js").Cell[]}} row @param {"text"|"printed"} part */
function createCells({ cells }, part) {
  return cells.map(({ mark, ...cell }, i) => {
    const begins = mark !== null && cells[i - 1]?.mark !== mark;
    const ends = mark !== null && cells[i + 1]?.mark !== mark;
    const kinds = ["hex-cell", mark !== null && "marked", begins && "begins", ends && "ends"].filter(Boolean).join(" ");
    return h("span", { class: kinds, "data-mark": mark === null ? null : (mark % 4) + 1 }, cell[part]);
  });
}

/** @param {Row} row */
function createRow(row) {
  if ("skipped" in row)
    return h("tr", { class: "hex-skipped" }, h("td", { colspan: 3 }, `* ${sayCount("hexdump.skipped", row.skipped)}`));
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, row.offset),
    h("td", { class: "hex-bytes" }, createCells(row, "text")),
    h("td", { class: "hex-printed" }, createCells(row, "printed")),
  );
}

/** @param {{title: string, address?: string|null, bytes: string, marks?: import("../../js/hexdump.js").Mark[]}} data */
export function createHexdump({ title, address = null, bytes, marks = [] }) {
  const rows = rowsOf(bytes, marks, address);
  return [
    h(
      "table",
      { class: "hexdump mono" },
      h("caption", { class: "visually-hidden" }, title),
      h(
        "thead",
        { class: "visually-hidden" },
        h(
          "tr",
          {},
          h("th", { scope: "col" }, say("hexdump.address")),
          h("th", { scope: "col" }, say("hexdump.bytes")),
          h("th", { scope: "col" }, say("hexdump.printed")),
        ),
      ),
      h("tbody", {}, rows.map(createRow)),
    ),
    marks.length > 0 &&
      h(
        "ul",
        { class: "hex-key" },
        marks.map(({ from, to, label }, i) =>
          h(
            "li",
            {},
            h("span", { class: "hex-cell marked begins ends", "data-mark": (i % 4) + 1, "aria-hidden": "true" }, "00"),
            ` ${say("hexdump.mark", { from, last: to - 1, label })}`,
          ),
        ),
      ),
  ];
}
