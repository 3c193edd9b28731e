/** The comparison: every mechanism by what it can do and by what it costs on this machine. */

import { h, setChildren, setText, syncChildren } from "../../js/dom.js";
import { formatBytes } from "../../js/format.js";
import { modelOf } from "./model.js";
import { createRow } from "./row.js";
import { createAxis } from "./strip.js";

/** @typedef {import("../../js/dom.js").Child} Child */

const columns_count = 9;

/** @param {Child|Child[]} content @param {string} kind */
const head = (content, kind = "") => h("th", { role: "columnheader", scope: "col", class: kind }, content);

/** @param {string} title @param {string} small */
const twoLines = (title, small) => [title, h("small", {}, small)];

function createHead() {
  const round_trip = h("span", {});
  const stream = h("span", {});
  const axis = h("div", {});
  let drawn = "";
  return {
    element: h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        head("Mechanism"),
        head(twoLines("Reach", "kin · host · net"), "nowrap"),
        head("Direction"),
        head("Ends"),
        head(twoLines("Waits", "for data?"), "nowrap"),
        head([round_trip, h("small", {}, "tick p50, box to p90, line to the last sure percentile"), axis], "strip-head"),
        head("p50", "number"),
        head([stream, h("small", {}, "counted at the receiver")]),
        head("GB/s", "number"),
      ),
    ),
    /** @param {import("../../js/figures.js").Choice} choice @param {import("./strip.js").Scale} scale */
    update({ round_trip_bytes, stream_bytes }, scale) {
      setText(round_trip, `Round trip, ${formatBytes(round_trip_bytes)}`);
      setText(stream, `Stream, ${formatBytes(stream_bytes)}`);
      const now = JSON.stringify(scale);
      if (now !== drawn) setChildren(axis, createAxis(scale));
      drawn = now;
    },
  };
}

/** @param {import("../../js/mechanisms.js").Family} family */
function createFamily({ name, title, note }) {
  const words = [h("span", {}, title), note && h("small", {}, note)];
  const head_cell = h("th", { role: "rowheader", scope: "rowgroup", colspan: columns_count }, words);
  return { element: h("tr", { role: "row", class: "family", "data-family": name }, head_cell), update: () => {} };
}

/**
 * @param {import("./model.js").Row} item
 * @returns {{element: Element, update: (item: import("./model.js").Row) => void}}
 */
function createItem({ family, row }) {
  if (row === null) return createFamily(family);
  const created = createRow(row.mechanism, row.look);
  return { element: created.element, update: (item) => item.row && created.update(item.row) };
}

export function createMatrix() {
  const table_head = createHead();
  const body = h("tbody", { role: "rowgroup" });
  // On a phone the rows are cards and the head is gone; this says what it said.
  const sizes = h("p", { class: "matrix-sizes", "aria-hidden": "true" });
  const caption = "Mechanisms, what they can do, and what they cost on this machine";
  return {
    element: h(
      "div",
      { class: "card flush matrix", role: "region", "aria-label": "Mechanisms compared", tabindex: "0" },
      sizes,
      h("table", { role: "table" }, h("caption", { class: "visually-hidden" }, caption), table_head.element, body),
    ),
    /** @param {import("./model.js").Props} props */
    update(props) {
      const { choice } = props;
      const { rows, scale } = modelOf(props);
      const [round_trip, stream] = [formatBytes(choice.round_trip_bytes), formatBytes(choice.stream_bytes)];
      setText(sizes, `p50 of a round trip of ${round_trip}; stream of ${stream} messages`);
      table_head.update(choice, scale);
      syncChildren(body, rows, ({ key }) => key, createItem);
    },
  };
}
