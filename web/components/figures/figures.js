/** All that a run measured: charts, tables by pattern, trials. */

import { h, setChildren } from "../../js/dom.js";
import { latencyGroups } from "../../js/figures.js";
import { formatBytes } from "../../js/format.js";
import { navigateQuery } from "../../js/router.js";
import { patternText } from "../../js/words.js";
import { createCaseTable } from "../case-table/case-table.js";
import { createFilter } from "../filters/filters.js";
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
 * @property {URLSearchParams} query
 * @property {string} target  the row to point out, e.g. case-3
 * @property {import("../../js/mechanisms.js").Legend} legend
 */

/** @type {Pattern[]} */
const patterns = ["round_trip", "stream", "paced"];

/** The chart of latency shows one pattern and size; which one is asked only if there are several. */
function createLatencyFilter() {
  const element = h("div", { class: "filters" });
  let shown = "";
  return {
    element,
    /** @param {import("../../js/figures.js").LatencyGroup[]} groups @param {string|null} chosen */
    update(groups, chosen) {
      const now = JSON.stringify([groups.map(({ key }) => key), chosen]);
      if (now === shown || element.contains(document.activeElement)) return;
      shown = now;
      element.hidden = groups.length < 2;
      const texts = new Map(
        groups.map(({ key, pattern, bytes }) => [key, `${formatBytes(bytes)} ${patternText(pattern)}`]),
      );
      setChildren(
        element,
        createFilter({
          name: "latency",
          label: "Latency of",
          values: [...texts.keys()],
          chosen,
          text: (key) => texts.get(key) ?? key,
        }),
      );
    },
  };
}

/** @param {AbortSignal} signal */
export function createFigures(signal) {
  const filter = createLatencyFilter();
  const percentiles = createPercentiles(signal);
  const throughput = createThroughput(signal);
  const tables = patterns.map((pattern) => ({
    pattern,
    table: createCaseTable(pattern, (sort) => navigateQuery({ sort })),
  }));
  const trials = createTrials();

  /** @param {Props} props */
  function updateCharts({ cases, query, legend }) {
    const groups = latencyGroups(cases);
    const group = groups.find(({ key }) => key === query.get("latency")) ?? groups[0];
    filter.update(groups, group?.key ?? null);
    percentiles.element.hidden = !group;
    if (group) percentiles.update(group.cases, `${formatBytes(group.bytes)} ${patternText(group.pattern)}`, legend);

    const streams = cases.filter((one) => one.pattern === "stream" && one.bytes_per_s);
    throughput.element.hidden = streams.length === 0;
    if (streams.length > 0) throughput.update(streams, legend);
  }

  return {
    element: h(
      "div",
      { class: "view" },
      filter.element,
      h("div", { class: "columns" }, percentiles.element, throughput.element),
      tables.map(({ table }) => table.element),
      createMethod(),
      trials.element,
    ),
    /** @param {Props} props */
    update(props) {
      const { cases, query, target, legend } = props;
      updateCharts(props);
      for (const { pattern, table } of tables) {
        const own = cases.filter((one) => one.pattern === pattern);
        table.element.hidden = own.length === 0;
        if (own.length > 0) table.update(own, query.get("sort") ?? "", target, legend);
      }
      trials.update(cases, props.trials, props.trials_total, legend);
    },
  };
}
