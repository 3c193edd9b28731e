/** All figures of the cases of one pattern, sortable, with intervals, and the flags in words below. */

import { h, setAttribute, setChildren, setText, syncChildren } from "../../js/dom.js";
import {
  formatByteRate,
  formatBytes,
  formatInterval,
  formatMessageRate,
  formatNs,
  formatOfferedRate,
  formatPerMessage,
  formatPlural,
} from "../../js/format.js";
import {
  distanceText,
  distance_reason,
  flagName,
  flagText,
  integrityText,
  patternText,
  settingText,
} from "../../js/words.js";
import { createName } from "../marker/marker.js";

/**
 * @typedef {import("../../js/types.js").Case} Case
 * @typedef {import("../../js/types.js").Measured} Measured
 * @typedef {import("../../js/types.js").MaybeEstimate} MaybeEstimate
 * @typedef {(value: number|null|undefined) => string} Format
 * @typedef {import("../../js/mechanisms.js").Legend} Legend
 *
 * @typedef {object} Column
 * @property {string} name  as in the address
 * @property {string} title
 * @property {(one: Measured) => MaybeEstimate} estimate
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

/** @type {Column} */
const achieved_column = {
  name: "achieved",
  title: "Reached",
  estimate: (one) => one.achieved_hz,
  format: formatMessageRate,
};

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
function columnsOf(pattern) {
  if (pattern === "stream") return [...rate_columns, ...cost_columns];
  if (pattern === "paced") return [achieved_column, ...latency_columns, ...cost_columns];
  return [...latency_columns, rate_columns[1], ...cost_columns];
}

/**
 * What a case was asked to do, beside its conditions.
 * @typedef {{name: string, title: string, value: (one: Case) => number|null, format: Format}} Parameter
 * @type {Parameter[]}
 */
const size_parameter = [{ name: "size", title: "Size", value: (one) => one.message_bytes, format: formatBytes }];
/** @type {Parameter[]} */
const paced_parameters = [
  ...size_parameter,
  { name: "rate", title: "Rate asked for", value: (one) => one.rate_hz, format: formatOfferedRate },
];

/** @param {Column} column @param {Measured} one */
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
 * @typedef {object} CaseRow
 * @property {"case"} kind
 * @property {string} key
 * @property {Case} one
 * @property {string} title
 * @property {import("../../js/mechanisms.js").Look} look
 * @property {boolean} pointed_out
 * @property {boolean} unfolded
 *
 * @typedef {{kind: "class", key: string, one: Case, measured: Measured}} ClassRow  trials of one distance
 * @typedef {{columns: Column[], parameters: Parameter[], ontoggle: (number: number) => void}} Table
 */

/**
 * Unfolds a case whose trials differ in distance.
 * @param {() => void} ontoggle
 */
function createUnfold(ontoggle) {
  const text = h("span", {});
  const button = h("button", { type: "button", class: "unfold", onclick: ontoggle }, text);
  return {
    element: button,
    /** @param {Case} one @param {boolean} unfolded */
    update({ by_distance }, unfolded) {
      button.hidden = by_distance.length === 0;
      setAttribute(button, "aria-expanded", String(unfolded));
      setText(text, `by distance: ${by_distance.map(({ distance }) => distance ?? "–").join(", ")}`);
    },
  };
}

/** @param {Table} table @param {CaseRow} first */
function createCaseRow({ columns, parameters, ontoggle }, first) {
  const element = h("tr", { id: `case-${first.one.number}` });
  const unfold = createUnfold(() => ontoggle(first.one.number));
  /** @type {CaseRow|null} */
  let shown = null;
  return {
    element,
    /** @param {CaseRow} row */
    update(row) {
      element.classList.toggle("target", row.pointed_out);
      unfold.update(row.one, row.unfolded);
      if (shown && shown.one === row.one && shown.title === row.title) return;
      shown = row;
      const { one, title, look } = row;
      const focused = document.activeElement === unfold.element;
      setChildren(
        element,
        h(
          "th",
          { scope: "row" },
          createName(look, title),
          h("div", { class: "conditions" }, settingText(one)),
          unfold.element,
        ),
        parameters.map(({ value, format }) => h("td", { class: "number" }, format(value(one)))),
        columns.map((column) => createEstimateCell(column, one)),
        createState(one),
      );
      if (focused) unfold.element.focus();
    },
  };
}

/** @param {Table} table */
function createClassRow({ columns, parameters }) {
  const element = h("tr", { class: "distance-class" });
  return {
    element,
    /** @param {ClassRow} row */
    update({ measured }) {
      setChildren(
        element,
        h("th", { scope: "row", colspan: 1 + parameters.length }, distanceText(measured.distance) || "not known"),
        columns.map((column) => createEstimateCell(column, measured)),
        h("td", { class: "case-state" }, formatPlural(measured.trials, "trial")),
      );
    },
  };
}

/**
 * @param {Table} table
 * @param {CaseRow|ClassRow} row
 * @returns {{element: Element, update: (row: any) => void}}
 */
const createRow = (table, row) => (row.kind === "case" ? createCaseRow(table, row) : createClassRow(table));

/**
 * What a column is sorted by; undefined was not measured.
 * @param {Column[]} columns
 * @param {Parameter[]} parameters
 * @param {string} name
 * @param {Legend} legend
 * @returns {(one: Case) => number|string|undefined}
 */
function sortKey(columns, parameters, name, legend) {
  if (name === "mechanism") return (one) => legend.titleOf(one.mechanism);
  const parameter = parameters.find((one) => one.name === name);
  if (parameter) return (one) => parameter.value(one) ?? undefined;
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

/**
 * A case, and its classes of distance if it is unfolded.
 * @param {Case} one
 * @param {{target: string, legend: Legend, unfolded: ReadonlySet<number>}} view
 * @returns {(CaseRow|ClassRow)[]}
 */
function rowsOf(one, { target, legend, unfolded }) {
  const open = unfolded.has(one.number) && one.by_distance.length > 0;
  /** @type {CaseRow} */
  const row = {
    kind: "case",
    key: String(one.number),
    one,
    title: legend.titleOf(one.mechanism),
    look: legend.lookOf(one.mechanism),
    pointed_out: target === `case-${one.number}`,
    unfolded: open,
  };
  if (!open) return [row];
  const classes = one.by_distance.map((measured) => {
    const key = `${one.number} ${measured.distance}`;
    return /** @type {ClassRow} */ ({ kind: "class", key, one, measured });
  });
  return [row, ...classes];
}

/** @param {readonly Case[]} cases */
function explainFlags(cases) {
  const flags = [...new Set(cases.flatMap((one) => one.flags))].sort();
  const classes = cases.flatMap((one) => [one, ...one.by_distance].flatMap(({ distance }) => distance ?? []));
  const distances = [...new Set(classes)].sort();
  const differ = distances.length > 1;
  return [
    ...(differ ? [[h("dt", {}, "by distance"), h("dd", {}, distance_reason)]] : []),
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
  const parameters = pattern === "paced" ? paced_parameters : size_parameter;
  const title = patternText(pattern);
  /** @type {Set<number>} */
  const unfolded = new Set();
  let renderRows = () => {};
  const rows = {
    columns,
    parameters,
    /** @param {number} number */
    ontoggle(number) {
      if (!unfolded.delete(number)) unfolded.add(number);
      renderRows();
    },
  };
  const heads = [
    createSortHead("mechanism", "Mechanism", "", onsort),
    ...parameters.map((parameter) => createSortHead(parameter.name, parameter.title, "number", onsort)),
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
      const key = sortKey(columns, parameters, sort.replace(/^-/, ""), legend);
      const sorted = sortCases(cases, key, sort.startsWith("-"));
      renderRows = () =>
        syncChildren(
          body,
          sorted.flatMap((one) => rowsOf(one, { target, legend, unfolded })),
          (row) => row.key,
          (row) => createRow(rows, row),
        );
      renderRows();
      const explained = explainFlags(cases);
      explanations.hidden = explained.length === 0;
      setChildren(explanations, explained);
    },
  };
}
