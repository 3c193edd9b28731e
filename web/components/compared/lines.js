/** Latency by percentile and throughput by message size, each mechanism of each run as a line; at most five in colour. */

import { h, setChildren, setText } from "../../js/dom.js";
import { cacheSizes, caseKey, groupsOf, leavesTrialsOut } from "../../js/compare.js";
import { logAxis } from "../../js/axes.js";
import { percentile_axis, percentilePoints } from "../../js/figures.js";
import { formatByteRate, formatBytes, formatInterval, formatMessageRate, formatNs } from "../../js/format.js";
import { settingText } from "../../js/words.js";
import { createChart } from "../chart/chart.js";
import { createRowChart } from "../chart/rows.js";
import { commonCases, dashText, runDash } from "./model.js";

/**
 * @typedef {import("./model.js").Compared} Compared
 * @typedef {import("./model.js").Side} Side
 * @typedef {import("../../js/types.js").Case} Case
 * @typedef {import("../chart/draw.js").Point} Point
 */

/** Said of a median beside a ratio that is over fewer trials. @param {readonly Side[]} sides */
const trialsText = (sides) => (leavesTrialsOut(sides) ? "; over all trials" : "");

/** More rows than that are read more easily over the whole width. */
const rows_beside = 8;

/**
 * The lines of all runs for some cases of the base, those in colour first.
 * @param {Compared} compared
 * @param {(one: Case) => string} line_of  cases of one line, within a run
 * @param {(own: Case[]) => Point[]} points_of
 * @param {(one: Case) => boolean} shown
 */
function linesOf({ sides, highlight, legend }, line_of, points_of, shown) {
  const lines = sides.flatMap((side, place) => {
    const own = side.cases.filter(shown);
    const keys = [...new Set(own.map(line_of))];
    const alike = keys.length === new Set(own.map((one) => one.mechanism)).size;
    return keys.map((key) => {
      const cases = own.filter((one) => line_of(one) === key);
      const { mechanism } = cases[0];
      const setting = alike ? [] : [settingText(cases[0])];
      return {
        key,
        title: legend.titleOf(mechanism),
        part: [side.name, ...setting].join(", "),
        look: legend.lookOf(mechanism),
        dash: runDash(place),
        quiet: !highlight.includes(mechanism),
        note: setting[0],
        mechanism,
        points: points_of(cases),
      };
    });
  });
  /** @param {{mechanism: string}} line */
  const rank = ({ mechanism }) => (highlight.includes(mechanism) ? highlight.indexOf(mechanism) : highlight.length);
  return lines
    .filter(({ points }) => points.length > 0)
    .sort((a, b) => rank(a) - rank(b) || (a.key < b.key ? -1 : Number(a.key > b.key)));
}

/** The groups that have percentiles in more than one run. @param {Compared} compared */
export const latencyGroupsOf = ({ sides }) => groupsOf(commonCases(sides).filter(({ latency_ns }) => latency_ns?.p50));

/** @param {AbortSignal} signal */
export function createComparedPercentiles(signal) {
  const chart = createChart(signal);
  const title = h("h2", {});
  const whose = h("small", { class: "muted" });
  return {
    element: h("section", { class: "card" }, h("div", { class: "card-head" }, title, whose), chart.element),
    /** @param {Compared} compared @param {{key: string, text: string}} group */
    update(compared, group) {
      setText(title, `Latency by percentile, ${group.text}`);
      setText(whose, `${dashText(compared.sides)}; max stands apart${trialsText(compared.sides)}`);
      const keys = new Set(
        latencyGroupsOf(compared)
          .find(({ key }) => key === group.key)
          ?.cases.map(caseKey),
      );
      chart.update({
        label: `Latency by percentile, ${group.text}`,
        x: percentile_axis,
        format: formatNs,
        series: linesOf(compared, caseKey, ([one]) => percentilePoints(one.latency_ns), (one) => keys.has(caseKey(one))),
      });
    },
  };
}

/** The streams of a run without their size: one line each. @param {Case} one */
const lineKey = (one) => caseKey({ ...one, message_bytes: 0 });

/**
 * One size: a row for each mechanism, the runs one below the other, on one axis.
 * @param {Compared} compared
 * @param {Case[]} common
 */
function rateRows({ sides, question, legend }, common) {
  const format = question.rate === "bytes_per_s" ? formatByteRate : formatMessageRate;
  const alike = new Set(common.map(({ mechanism }) => mechanism)).size === common.length;
  const rows = common.map((one) => {
    const measured = sides.flatMap((side, place) => {
      const estimate = side.cases.find((other) => caseKey(other) === caseKey(one))?.[question.rate];
      return estimate ? [{ name: side.name, hollow: place === 0, estimate }] : [];
    });
    const texts = measured.map(
      ({ name, estimate }) => `${name} ${format(estimate.value)} (${formatInterval(estimate, format)})`,
    );
    const last = measured[measured.length - 1];
    return {
      key: caseKey(one),
      title: legend.titleOf(one.mechanism),
      part: alike ? undefined : settingText(one),
      look: legend.lookOf(one.mechanism),
      marks: measured.map(({ estimate, hollow }) => ({ ...estimate, hollow })),
      figure: format(last?.estimate.value),
      word: measured.length > 1 ? `from ${format(measured[0].estimate.value)}` : "",
      tone: "",
      told: texts.join("; "),
      cells: sides.flatMap(({ name }) => {
        const estimate = measured.find((other) => other.name === name)?.estimate;
        return [format(estimate?.value), formatInterval(estimate, format)];
      }),
    };
  });
  const values = rows.flatMap(({ marks }) =>
    marks.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]),
  );
  return { rows, axis: logAxis(values), format };
}

/** @param {AbortSignal} signal */
export function createComparedThroughput(signal) {
  const chart = createChart(signal);
  const rows = createRowChart(signal);
  const title = h("h2", {});
  const whose = h("small", { class: "muted" });

  /** @param {Compared} compared @param {Case[]} common @param {number[]} sizes */
  function updateLines(compared, common, sizes) {
    const { question, sides } = compared;
    const keys = new Set(common.map(caseKey));
    const [low, high] = [Math.log2(sizes[0]) - 0.4, Math.log2(sizes[sizes.length - 1]) + 0.4];
    const rules = cacheSizes(sides[0].machine?.facts?.caches)
      .map(({ name, bytes }) => ({ at: Math.log2(bytes), label: `${name} ${formatBytes(bytes)}` }))
      .filter(({ at }) => at > low && at < high);
    /** @param {Case[]} own */
    const points = (own) =>
      [...own]
        .sort((a, b) => a.message_bytes - b.message_bytes)
        .flatMap((one) => {
          const estimate = one[question.rate];
          return estimate ? [{ x: Math.log2(one.message_bytes), estimate }] : [];
        });
    chart.update({
      label: "Throughput by message size",
      x: {
        low,
        high,
        ticks: sizes.map((bytes) => ({ at: Math.log2(bytes), label: formatBytes(bytes) })),
        title: "message size",
      },
      format: question.rate === "bytes_per_s" ? formatByteRate : formatMessageRate,
      rules,
      bands: true,
      series: linesOf(compared, lineKey, points, (one) => keys.has(caseKey(one))),
    });
    setText(
      whose,
      `${dashText(sides)}; both axes logarithmic, intervals as bands${rules.length > 0 ? ", caches as rules" : ""}${trialsText(sides)}`,
    );
  }

  /** @param {Compared} compared @param {Case[]} common */
  function updateRows(compared, common) {
    const { rows: list, axis, format } = rateRows(compared, common);
    rows.update({
      label: "Throughput",
      groups: [{ title: "", rows: list }],
      axis,
      format,
      heads: compared.sides.flatMap(({ name }) => [name, `${name}, interval`]),
    });
    setText(whose, `logarithmic; ${compared.sides[0].name} hollow, above${trialsText(compared.sides)}`);
  }

  const element = h(
    "section",
    { class: "card" },
    h("div", { class: "card-head" }, title, whose),
    chart.element,
    rows.element,
  );
  return {
    element,
    /** @param {Compared} compared @returns {boolean}  whether there is anything to show */
    update(compared) {
      const common = commonCases(compared.sides).filter((one) => one.pattern === "stream" && one.bytes_per_s);
      const sizes = [...new Set(common.map((one) => one.message_bytes))].sort((a, b) => a - b);
      chart.element.hidden = sizes.length < 2;
      rows.element.hidden = sizes.length >= 2;
      element.classList.toggle("wide", sizes.length < 2 && common.length > rows_beside);
      setChildren(
        title,
        sizes.length === 1 ? `Throughput, ${formatBytes(sizes[0])} messages` : "Throughput by message size",
      );
      if (sizes.length > 1) updateLines(compared, common, sizes);
      else if (sizes.length === 1) updateRows(compared, common);
      return sizes.length > 0;
    },
  };
}
