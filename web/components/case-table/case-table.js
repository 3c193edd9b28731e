/** All figures of the cases of one pattern, sortable, with intervals, and the flags in words below. */

import { h, setChildren, setText, syncChildren } from "../../js/dom.js";
import { formatByteRate, formatBytes, formatInterval, formatMessageRate, formatNs, formatPerMessage } from "../../js/format.js";
import { conditionsText, distanceText, flagName, flagText, integrityText, patternText } from "../../js/words.js";
import { createName } from "../marker/marker.js";

/**
 * @typedef {import("../../js/types.js").Case} Case
 * @typedef {import("../../js/types.js").MaybeEstimate} MaybeEstimate
 * @typedef {(value: number|null|undefined) => string} Format
 *
 * @typedef {object} Column
 * @property {string} name  as in the address
 * @property {string} title
 * @property {(one: Case) => MaybeEstimate} estimate
 * @property {Format} format
 */

/** @type {Column[]} */
const latency_columns = /** @type {const} */ ([["p50", "p50"], ["p90", "p90"], ["p99", "p99"], ["p999", "p99.9"], ["max", "max"]]).map(([name, title]) => ({
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
  { name: "switches", title: "Switches per message", estimate: (one) => one.context_switches_per_message, format: formatPerMessage },
  { name: "calls", title: "System calls per message", estimate: (one) => one.system_calls_per_message, format: formatPerMessage },
];

/** @param {import("../../js/types.js").Pattern} pattern */
const columnsOf = (pattern) => (pattern === "stream" ? [...rate_columns, ...cost_columns] : [...latency_columns, rate_columns[1], ...cost_columns]);

/** @param {Column} column @param {Case} one */
function createEstimateCell({ estimate, format }, one) {
  const value = estimate(one);
  if (!value) return h("td", { class: "number muted" }, "–");
  return h("td", { class: "number" }, h("span", { class: "value" }, format(value.value)), value.low !== null && h("div", { class: "conditions" }, formatInterval(value, format)));
}

/** @param {Case} one */
function createState(one) {
  const integrity = integrityText(one.integrity);
  const sound = integrity === "intact" || integrity === "not checked";
  return h(
    "td",
    { class: "case-state" },
    h("div", {}, `${one.trials} · ${one.distance ?? "–"} · ${sound ? integrity : ""}`, !sound && h("span", { class: "chip bad" }, integrity)),
    one.failed > 0 && h("span", { class: "chip bad" }, `${one.failed} failed`),
    h("div", { class: "flags" }, one.flags.map(flagName).join(", ")),
  );
}

/**
 * @typedef {{one: Case, title: string, look: import("../../js/mechanisms.js").Look|undefined, pointed_out: boolean}} Row
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
 * @param {import("../../js/types.js").Pattern} pattern
 * @param {(sort: string) => void} onsort  a column's name, with - before it for descending
 */
export function createCaseTable(pattern, onsort) {
  const columns = columnsOf(pattern);
  const title = h("h2", {});
  const head = h("tr", {});
  const body = h("tbody", {});
  const legend = h("dl", { class: "flag-legend" });
  const element = h(
    "section",
    { class: "card flush case-table" },
    h("div", { class: "card-head" }, title, h("small", { class: "muted" }, "median over trials, interval below")),
    h("div", { class: "scroll-x", role: "region", tabindex: "0", "aria-label": `Figures, ${patternText(pattern)}` }, h("table", { class: "data-table" }, h("thead", {}, head), body)),
    legend,
  );

  /** @param {string} name @param {string} text @param {string} sort @param {boolean} number */
  function sortHead(name, text, sort, number) {
    const state = sort === name ? "ascending" : sort === `-${name}` ? "descending" : null;
    const button = h("button", { type: "button", class: "sort", "data-sort": name, onclick: () => onsort(state === "ascending" ? `-${name}` : name) }, text, state && h("span", { "aria-hidden": "true" }, state === "ascending" ? " ↑" : " ↓"));
    return h("th", { scope: "col", class: number ? "number" : "", "aria-sort": state }, button);
  }

  /** @param {readonly Case[]} cases @param {string} sort @param {(name: string) => string} titleOf */
  function sorted(cases, sort, titleOf) {
    const name = sort.replace(/^-/, "");
    const sign = sort.startsWith("-") ? -1 : 1;
    const column = columns.find((one) => one.name === name);
    if (name === "mechanism") return [...cases].sort((a, b) => sign * titleOf(a.mechanism).localeCompare(titleOf(b.mechanism)) || a.number - b.number);
    if (name === "size") return [...cases].sort((a, b) => sign * (a.message_bytes - b.message_bytes) || a.number - b.number);
    if (!column) return [...cases].sort((a, b) => a.number - b.number);
    // What was not measured stays at the end either way.
    return [...cases].sort((a, b) => {
      const [left, right] = [column.estimate(a)?.value, column.estimate(b)?.value];
      if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
      return sign * (left - right);
    });
  }

  return {
    element,
    /**
     * @param {readonly Case[]} cases
     * @param {string} sort
     * @param {string} target  the row to point out, e.g. case-3
     * @param {(name: string) => string} titleOf
     * @param {ReadonlyMap<string, import("../../js/mechanisms.js").Look>} looks
     */
    update(cases, sort, target, titleOf, looks) {
      const focused = document.activeElement instanceof HTMLElement && element.contains(document.activeElement) ? document.activeElement.dataset.sort : undefined;
      const text = patternText(pattern);
      setText(title, text.charAt(0).toUpperCase() + text.slice(1));
      setChildren(
        head,
        sortHead("mechanism", "Mechanism", sort, false),
        sortHead("size", "Size", sort, true),
        columns.map((column) => sortHead(column.name, column.title, sort, true)),
        h("th", { scope: "col", class: "case-state" }, "Trials · distance · messages intact?"),
      );
      syncChildren(
        body,
        sorted(cases, sort, titleOf).map((one) => ({ one, title: titleOf(one.mechanism), look: looks.get(one.mechanism), pointed_out: target === `case-${one.number}` })),
        ({ one }) => String(one.number),
        () => createRow(columns),
      );
      const flags = [...new Set(cases.flatMap((one) => one.flags))].sort();
      const distances = [...new Set(cases.flatMap((one) => (one.distance ? [one.distance] : [])))].sort();
      legend.hidden = flags.length + distances.length === 0;
      setChildren(
        legend,
        distances.map((one) => [h("dt", {}, "distance"), h("dd", {}, distanceText(one))]).flat(),
        flags.map((flag) => [h("dt", {}, flagName(flag)), h("dd", {}, flagText(flag))]).flat(),
      );
      if (focused) /** @type {HTMLElement|null} */ (element.querySelector(`[data-sort="${CSS.escape(focused)}"]`))?.focus();
    },
  };
}
