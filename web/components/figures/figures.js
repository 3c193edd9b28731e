/** All that a run measured: charts, tables by pattern, trials. */

import { h, setChildren } from "../../js/dom.js";
import { latencyGroups } from "../../js/figures.js";
import { formatBytes, formatOfferedRate } from "../../js/format.js";
import { loadGroups } from "../../js/load.js";
import { navigateQuery } from "../../js/router.js";
import { patternText } from "../../js/words.js";
import { createCaseTable } from "../case-table/case-table.js";
import { createFilter } from "../filters/filters.js";
import { createLoad } from "../load/load.js";
import { createMethod } from "../method/method.js";
import { createPercentiles } from "../percentiles/percentiles.js";
import { createThroughput } from "../throughput/throughput.js";
import { createTrials } from "../trials/trials.js";

/**
 * @typedef {import("../../js/types.js").Case} Case
 * @typedef {import("../../js/types.js").Pattern} Pattern
 *
 * @typedef {object} Props
 * @property {readonly Case[]} cases
 * @property {readonly import("../../js/types.js").Trial[]} trials
 * @property {number} trials_total
 * @property {import("../../js/types.js").Overhead|null} overhead
 * @property {URLSearchParams} query
 * @property {string} target  the row to point out, e.g. case-3
 * @property {import("../../js/mechanisms.js").Legend} legend
 */

/** @type {Pattern[]} */
const patterns = ["round_trip", "stream", "paced"];

/** @param {import("../../js/figures.js").LatencyGroup} group */
const groupText = ({ pattern, bytes, rate_hz }) =>
  `${formatBytes(bytes)} ${patternText(pattern)}${rate_hz === null ? "" : ` at ${formatOfferedRate(rate_hz)}`}`;

/**
 * A chart shows one group of cases; which one is asked only if there are several.
 * @param {string} name  of the parameter in the address
 * @param {string} label
 */
function createChoice(name, label) {
  const element = h("div", { class: "filters" });
  let shown = "";
  return {
    element,
    /** @param {{key: string, text: string}[]} groups @param {string|null} chosen */
    update(groups, chosen) {
      const now = JSON.stringify([groups, chosen]);
      if (now === shown || element.contains(document.activeElement)) return;
      shown = now;
      element.hidden = groups.length < 2;
      const texts = new Map(groups.map(({ key, text }) => [key, text]));
      const text = (/** @type {string} */ key) => texts.get(key) ?? key;
      setChildren(element, createFilter({ name, label, values: [...texts.keys()], chosen, text }));
    },
  };
}

/** @param {AbortSignal} signal */
function createCharts(signal) {
  const latency_choice = createChoice("latency", "Latency of");
  const load_choice = createChoice("load", "Load of");
  const percentiles = createPercentiles(signal);
  const throughput = createThroughput(signal);
  const load = createLoad(signal);

  /** @param {Props} props */
  function updatePercentiles({ cases, query, legend }) {
    const groups = latencyGroups(cases);
    const group = groups.find(({ key }) => key === query.get("latency")) ?? groups[0];
    latency_choice.update(
      groups.map((one) => ({ key: one.key, text: groupText(one) })),
      group?.key ?? null,
    );
    percentiles.element.hidden = !group;
    if (group) percentiles.update(group.cases, groupText(group), legend);
  }

  /** @param {Props} props */
  function updateLoad({ cases, query, legend }) {
    const groups = loadGroups(cases);
    const group = groups.find(({ bytes }) => String(bytes) === query.get("load")) ?? groups[0];
    load_choice.update(
      groups.map(({ bytes }) => ({ key: String(bytes), text: formatBytes(bytes) })),
      group ? String(group.bytes) : null,
    );
    load.element.hidden = !group;
    if (group) load.update(group, legend);
  }

  return {
    elements: [
      h("div", { class: "row" }, latency_choice.element, load_choice.element),
      h("div", { class: "columns" }, percentiles.element, throughput.element, load.element),
    ],
    /** @param {Props} props */
    update(props) {
      updatePercentiles(props);
      updateLoad(props);
      const streams = props.cases.filter((one) => one.pattern === "stream" && one.bytes_per_s);
      throughput.element.hidden = streams.length === 0;
      if (streams.length > 0) throughput.update(streams, props.legend);
    },
  };
}

/** @param {AbortSignal} signal */
export function createFigures(signal) {
  const charts = createCharts(signal);
  const tables = patterns.map((pattern) => ({
    pattern,
    table: createCaseTable(pattern, (sort) => navigateQuery({ sort })),
  }));
  const method = createMethod();
  const trials = createTrials();
  return {
    element: h(
      "div",
      { class: "view" },
      charts.elements,
      tables.map(({ table }) => table.element),
      method.element,
      trials.element,
    ),
    /** @param {Props} props */
    update(props) {
      const { cases, query, target, legend, overhead } = props;
      charts.update(props);
      for (const { pattern, table } of tables) {
        const own = cases.filter((one) => one.pattern === pattern);
        table.element.hidden = own.length === 0;
        if (own.length > 0) table.update(own, query.get("sort") ?? "", target, legend);
      }
      method.update({ overhead, cases, legend });
      trials.update(cases, props.trials, props.trials_total, legend);
    },
  };
}
