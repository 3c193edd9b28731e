/** All figures of the cases of one pattern, sortable, with intervals, and the flags in words below. */

import { h, setAttribute, setChildren, setText, syncChildren } from "../../js/dom.js";
import {
  formatByteRate,
  formatBytes,
  formatInterval,
  formatMessageRate,
  formatNs,
  formatPerMessage,
} from "../../js/format.js";
import { conditionsText, distanceText, flagName, flagText, integrityText, patternText } from "../../js/words.js";
import { createName } from "../marker/marker.js";

/**
 * @typedef {import("../../js/types.js").Case} Case
 * @typedef {import("../../js/types.js").MaybeEstimate} MaybeEstimate
 * @typedef {(value: number|null|undefined) => string} Format
 * @typedef {import("../../js/mechanisms.js").Legend} Legend
 *
 * @typedef {object} Column
 * @property {string} name  as in the address
 * @property {string} title
 * @property {(one: Case) => MaybeEstimate} estimate
 * @property {Format} format
 */

/** @type {Column[]} */
const latency_columns = /** @type {const} */ ([
  ["p50", "p50"],
  ["p90", "p90"],
  ["p99", "p99"],
  ["p999", "p99.9"],
  ["max", "max"],
]).map(([name, title]) => ({
  name,
  title,
  estimate: (one) => one.latency_ns?.[name],
  format: formatNs,
}));

/** @type {Column[]} */
const rate_columns = [
  { name: "bytes_per_s", title: "Bytes", estimate: (one) => one.bytes_per_s, format: formatByteRate },
  { name: "messages_per_s", title: "Messages", estimate: (one) => one.messages_per_s, format: formatMessageRate },
];

/** @type {Column[]} */
const cost_columns = [
  { name: "cpu", title: "CPU per message", estimate: (one) => one.cpu_ns_per_message, format: formatNs },
  {
    name: "switches",
    title: "Switches per message",
    estimate: (one) => one.context_switches_per_message,
    format: formatPerMessage,
  },
  {
    name: "calls",
    title: "System calls per message",
    estimate: (one) => one.system_calls_per_message,
    format: formatPerMessage,
  },
];

/** @param {import("../../js/types.js").Pattern} pattern */
const columnsOf = (pattern) =>
  pattern === "stream" ? [...rate_columns, ...cost_columns] : [...latency_columns, rate_columns[1], ...cost_columns];

/** @param {Column} column @param {Case} one */
function createEstimateCell({ estimate, format }, one) {
  const value = estimate(one);
  if (!value) return h("td", { class: "number muted" }, "–");
  return h(
    "td",
    { class: "number" },
    h("span", { class: "value" }, format(value.value)),
    value.low !== null && h("div", { class: "conditions" }, formatInterval(value, format)),
  );
}

/** @param {Case} one */
function createState(one) {
  const integrity = integrityText(one.integrity);
  const sound = integrity === "intact" || integrity === "not checked";
  return h(
    "td",
    { class: "case-state" },
    h(
      "div",
      {},
      `${one.trials} · ${one.distance ?? "–"} · ${sound ? integrity : ""}`,
      !sound && h("span", { class: "chip bad" }, integrity),
    ),
    one.failed > 0 && h("span", { class: "chip bad" }, `${one.failed} failed`),
    h("div", { class: "flags" }, one.flags.map(flagName).join(", ")),
  );
}

/**
 * @typedef {{one: Case, title: string, look: import("../../js/mechanisms.js").Look, pointed_out: boolean}} Row
 * @param {Column[]} columns
 */
function createRow(columns) {
  const element = h("tr", {});
  /** @type {Row|null} */
  let shown = null;
  return {
    element,
    /** @param {Row} row */
    update(row) {
      element.classList.toggle("target", row.pointed_out);
      if (shown && shown.one === row.one && shown.title === row.title) return;
      shown = row;
      const { one, title, look } = row;
      element.id = `case-${one.number}`;
      setChildren(
        element,
        h("th", { scope: "row" }, createName(look, title), h("div", { class: "conditions" }, conditionsText(one))),
        h("td", { class: "number" }, formatBytes(one.message_bytes)),
        columns.map((column) => createEstimateCell(column, one)),
        createState(one),
      );
    },
  };
}

/**
 * What a column is sorted by; undefined was not measured.
 * @param {Column[]} columns
 * @param {string} name
 * @param {Legend} legend
 * @returns {(one: Case) => number|string|undefined}
 */
function sortKey(columns, name, legend) {
  if (name === "mechanism") return (one) => legend.titleOf(one.mechanism);
  if (name === "size") return (one) => one.message_bytes;
  const column = columns.find((one) => one.name === name);
  return (one) => (column ? column.estimate(one)?.value : one.number);
}

/**
 * @param {readonly Case[]} cases
 * @param {(one: Case) => number|string|undefined} key
 * @param {boolean} descending
 */
function sortCases(cases, key, descending) {
  return [...cases].sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    // What was not measured stays at the end either way.
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
    const order = left < right ? -1 : left > right ? 1 : 0;
    return (descending ? -order : order) || a.number - b.number;
  });
}

/**
 * A head that sorts: first ascending, then descending.
 * @param {string} name
 * @param {string} text
 * @param {string} kind
 * @param {(sort: string) => void} onsort
 */
function createSortHead(name, text, kind, onsort) {
  const arrow = h("span", { "aria-hidden": "true" });
  const button = h("button", { type: "button", class: "sort", onclick: () => onsort(next) }, text, arrow);
  const element = h("th", { scope: "col", class: kind }, button);
  let next = name;
  return {
    element,
    /** @param {string} sort */
    update(sort) {
      const ascending = sort === name;
      const descending = sort === `-${name}`;
      next = ascending ? `-${name}` : name;
      setAttribute(element, "aria-sort", ascending ? "ascending" : descending ? "descending" : null);
      setText(arrow, ascending ? " ↑" : descending ? " ↓" : "");
    },
  };
}

/** @param {readonly Case[]} cases */
function explainFlags(cases) {
  const flags = [...new Set(cases.flatMap((one) => one.flags))].sort();
  const distances = [...new Set(cases.flatMap((one) => one.distance ?? []))].sort();
  return [
    ...distances.map((one) => [h("dt", {}, "distance"), h("dd", {}, distanceText(one))]),
    ...flags.map((flag) => [h("dt", {}, flagName(flag)), h("dd", {}, flagText(flag))]),
  ].flat();
}

/**
 * @param {import("../../js/types.js").Pattern} pattern
 * @param {(sort: string) => void} onsort  a column's name, with - before it for descending
 */
export function createCaseTable(pattern, onsort) {
  const columns = columnsOf(pattern);
  const title = patternText(pattern);
  const heads = [
    createSortHead("mechanism", "Mechanism", "", onsort),
    createSortHead("size", "Size", "number", onsort),
    ...columns.map((column) => createSortHead(column.name, column.title, "number", onsort)),
  ];
  const state_head = h("th", { scope: "col", class: "case-state" }, "Trials · distance · messages intact?");
  const body = h("tbody", {});
  const explanations = h("dl", { class: "flag-legend" });
  const table = h(
    "table",
    { class: "data-table" },
    h("thead", {}, h("tr", {}, ...heads.map((one) => one.element), state_head)),
    body,
  );
  return {
    element: h(
      "section",
      { class: "card flush case-table" },
      h(
        "div",
        { class: "card-head" },
        h("h2", {}, title.charAt(0).toUpperCase() + title.slice(1)),
        h("small", { class: "muted" }, "median over trials, interval below"),
      ),
      h("div", { class: "scroll-x", role: "region", tabindex: "0", "aria-label": `Figures, ${title}` }, table),
      explanations,
    ),
    /**
     * @param {readonly Case[]} cases
     * @param {string} sort
     * @param {string} target  the row to point out, e.g. case-3
     * @param {Legend} legend
     */
    update(cases, sort, target, legend) {
      for (const head of heads) head.update(sort);
      const sorted = sortCases(cases, sortKey(columns, sort.replace(/^-/, ""), legend), sort.startsWith("-"));
      syncChildren(
        body,
        sorted.map((one) => ({
          one,
          title: legend.titleOf(one.mechanism),
          look: legend.lookOf(one.mechanism),
          pointed_out: target === `case-${one.number}`,
        })),
        ({ one }) => String(one.number),
        () => createRow(columns),
      );
      const explained = explainFlags(cases);
      explanations.hidden = explained.length === 0;
      setChildren(explanations, explained);
    },
  };
}
