/** What happened in the course of time: block by block inside the trials of a case, and trial by trial along the runs. */

import { h, setText } from "../../js/dom.js";
import { linearAxis, logAxis, ratioAxis } from "../../js/axes.js";
import {
  caseKey,
  driftOf,
  figureOf,
  groupText,
  higherIsBetter,
  naturalStatistic,
  ratioText,
} from "../../js/compare.js";
import { formatByteRate, formatNs, formatNumber } from "../../js/format.js";
import { flagName } from "../../js/words.js";
import { createChart } from "../chart/chart.js";

/**
 * @typedef {import("./model.js").Compared} Compared
 * @typedef {import("./model.js").Side} Side
 * @typedef {import("../../js/types.js").Case} Case
 * @typedef {import("../../js/types.js").Trial} Trial
 */

/** @param {number} value @returns {import("../../js/types.js").Estimate} */
const alone = (value) => ({ value, low: null, high: null });

/**
 * The blocks of a trial: when each began, and what it came to.
 * @param {Trial} trial
 * @param {Case} one
 */
function blocksOf({ series }, one) {
  if (!series) return [];
  const first = series.begin_ns[0] ?? 0;
  return series.begin_ns.flatMap((begin_ns, i) => {
    const rate = (1e9 * series.messages[i] * one.message_bytes) / series.duration_ns[i];
    const value = one.pattern === "stream" ? rate : series.latency_p50_ns[i];
    return value !== null && value > 0 && Number.isFinite(value) ? [{ at_ms: (begin_ns - first) / 1e6, value }] : [];
  });
}

/** @param {AbortSignal} signal */
export function createInside(signal) {
  const chart = createChart(signal);
  const title = h("h2", {});
  const about = h("small", { class: "muted" });
  const status = h("p", { class: "muted", role: "status" });
  const element = h(
    "section",
    { class: "card inside" },
    h("div", { class: "card-head" }, title, about),
    status,
    chart.element,
  );
  return {
    element,
    /**
     * @param {Compared} compared
     * @param {Case} one  of the base
     * @param {ReadonlyMap<number, readonly Trial[]>} series  trials with their blocks, of each run
     */
    update({ sides, legend }, one, series) {
      const streams = one.pattern === "stream";
      const what = `${streams ? "Throughput" : "Latency"} inside the trials: ${legend.titleOf(one.mechanism)}, ${groupText(one)}`;
      setText(title, what);
      setText(about, `${streams ? "rate" : "median"} of each block; a line is a trial`);
      const lines = sides.flatMap((side, place) => {
        const number = side.cases.find((other) => caseKey(other) === caseKey(one))?.number;
        const trials = (series.get(side.run.id) ?? []).filter(
          (trial) => trial.case === number && trial.state === "done",
        );
        return trials.map((trial, i) => ({
          key: side.name,
          title: `${side.name} ${side.run.name}`,
          part: [`trial ${i + 1}`, ...trial.flags.map(flagName)].join(", "),
          look: side.look,
          dash: place === 0 ? 1 : 0,
          points: blocksOf(trial, one).map(({ at_ms, value }) => ({ x: at_ms, estimate: alone(value) })),
        }));
      });
      const points = lines.flatMap((line) => line.points);
      const complete = sides.every(({ run }) => series.has(run.id));
      setText(
        status,
        points.length > 0
          ? ""
          : complete
            ? "These trials have no blocks in the archive (any more)."
            : "Reading the blocks…",
      );
      status.hidden = points.length > 0;
      // On paper nothing is read any more.
      element.classList.toggle("no-print", points.length === 0);
      chart.element.hidden = points.length === 0;
      if (points.length === 0) return;
      const x = linearAxis([0, ...points.map((point) => point.x)]);
      chart.update({
        label: what,
        x: {
          low: 0,
          high: x.high,
          ticks: x.ticks.map((at) => ({ at, label: `${formatNumber(at)} ms` })),
          title: "since the first block",
          text: (at) => `${formatNumber(at)} ms`,
        },
        y: logAxis(points.map(({ estimate }) => estimate.value)),
        format: streams ? formatByteRate : formatNs,
        long: true,
        who: "Run and trial",
        series: lines,
      });
    },
  };
}

/**
 * How a trial stands in its case: above 1 is slower, whatever its pattern is about.
 * @param {Side} side
 */
function slownessOf({ cases }) {
  const by_number = new Map(cases.map((one) => [one.number, one]));
  return (/** @type {Trial} */ trial) => {
    const one = by_number.get(trial.case);
    const statistic = one && naturalStatistic(one.pattern);
    const value = statistic ? figureOf(trial, statistic) : null;
    return value && statistic && higherIsBetter(statistic) ? 1 / value : value;
  };
}

/** @param {AbortSignal} signal */
export function createRunOrder(signal) {
  const chart = createChart(signal);
  return {
    element: h(
      "section",
      { class: "card" },
      h(
        "div",
        { class: "card-head" },
        h("h2", {}, "Drift along the runs"),
        h(
          "small",
          { class: "muted" },
          "each trial over the median of its case, above 1 is slower; the line is the middle of nine",
        ),
      ),
      chart.element,
    ),
    /** @param {Compared} compared */
    update({ sides, legend }) {
      const series = sides.flatMap((side, place) => {
        const titles = new Map(
          side.cases.map((one) => [one.number, `${legend.titleOf(one.mechanism)}, ${groupText(one)}`]),
        );
        const drift = driftOf(side.trials, slownessOf(side));
        const common = { key: side.name, title: `${side.name} ${side.run.name}`, look: side.look };
        return [
          {
            ...common,
            part: "trials",
            dots: true,
            hollow: place === 0,
            points: drift.map(({ trial, ratio }) => ({
              x: trial.sequence + 1,
              estimate: alone(ratio),
              note: [titles.get(trial.case), ...trial.flags.map(flagName)].join(", "),
            })),
          },
          {
            ...common,
            part: "middle",
            dash: place === 0 ? 1 : 0,
            plain: true,
            points: drift.map(({ trial, moving }) => ({ x: trial.sequence + 1, estimate: alone(moving) })),
          },
        ];
      });
      const dots = series
        .filter((one) => "dots" in one)
        .flatMap((one) => one.points.map(({ estimate }) => estimate.value));
      const axis = linearAxis([1, ...sides.map(({ run }) => run.trials_total)]);
      chart.update({
        label: "Drift along the runs",
        x: {
          low: 0,
          high: Math.max(...sides.map(({ run }) => run.trials_total)) + 1,
          ticks: axis.ticks.filter((at) => at > 0).map((at) => ({ at, label: String(at) })),
          title: "place in the run",
          text: (at) => `trial ${at}`,
        },
        y: ratioAxis(dots, { least: 1.1, most: 10 }),
        level: 1,
        format: (value) => ratioText(value ?? null),
        long: true,
        who: "Run",
        series,
      });
    },
  };
}
