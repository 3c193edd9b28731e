/** All that the page draws of a comparison: its parts in their order, and what each is given. */

import { tellProblem } from "../../js/actions.js";
import { getSeries } from "../../js/api.js";
import { caseKey, groupText } from "../../js/compare.js";
import { csvText } from "../../js/csv.js";
import { h, setText } from "../../js/dom.js";
import { reportText, saveText } from "../../js/download.js";
import { formatPlural } from "../../js/format.js";
import { isOver } from "../../js/words.js";
import { createSelect } from "../filters/filters.js";
import { createControls, createHighlight } from "./controls.js";
import { createInside, createRunOrder } from "./course.js";
import { createDifferences } from "./differences.js";
import { createForest } from "./forest.js";
import { createComparedHead, titleOf } from "./head.js";
import { createComparedPercentiles, createComparedThroughput, latencyGroupsOf } from "./lines.js";
import { createComparedMatrix } from "./matrix.js";
import { commonCases } from "./model.js";

/**
 * @typedef {import("../../js/store.js").Store} Store
 * @typedef {import("../../js/types.js").Trial} Trial
 * @typedef {import("./model.js").Compared} Compared
 */

/** @param {Compared} compared */
function verdictsCsv({ comparison }) {
  const heads = /** @type {const} */ ([
    "against",
    "mechanism",
    "pattern",
    "message_bytes",
    "rate_hz",
    "wait",
    "placement",
    "relation",
    "senders",
    "receivers",
    "statistic",
    "distance",
    "ratio",
    "low",
    "high",
    "p",
    "p_adjusted",
    "cliffs_delta",
    "verdict",
  ]);
  const rows = comparison.verdicts.map((one) => [comparison.base, ...one.n, ...heads.map((name) => one[name])]);
  return csvText(["base", "n_base", "n_against", ...heads], rows);
}

/**
 * @param {Store} store
 * @param {AbortSignal} signal
 */
export function createComparison(store, signal) {
  /** @type {Compared|null} */
  let shown = null;
  /** @type {Map<number, readonly Trial[]>} */
  const series = new Map();
  /** @type {Set<number>} */
  const asked_series = new Set();
  let near = false;

  const element = h("div", { class: "view compared", hidden: true });
  const head = createComparedHead({
    onreport: () => {
      if (!shown) return;
      reportText(element, titleOf(shown.sides)).then(
        (text) => saveText("ipclab-compare.html", "text/html", text),
        (error) => tellProblem(store, error),
      );
    },
    oncsv: () => shown && saveText("ipclab-compare.csv", "text/csv", verdictsCsv(shown)),
    oncopy: () => {
      const done = () => store.dispatch({ type: "notice", notice: { tone: "good", text: "The link is copied." } });
      const refused = () =>
        store.dispatch({
          type: "notice",
          notice: { tone: "bad", text: `The browser lets nothing be copied here. The link: ${location.href}` },
        });
      if (navigator.clipboard) navigator.clipboard.writeText(location.href).then(done, refused);
      else refused();
    },
  });
  const banner = h("p", { class: "card compared-warning", hidden: true });
  const going = h("p", { class: "card compared-warning", role: "status", hidden: true });
  const nothing = h(
    "p",
    { class: "card", hidden: true },
    "These runs have no case in common: no mechanism was measured by both with one pattern, size, wait and placement. What differs is below.",
  );
  const controls = createControls();
  const forest = createForest(signal);
  const highlight = createHighlight();
  const latency = createSelect("latency", "Latency of");
  const rate = createSelect("rate", "Throughput in");
  const inside_of = createSelect("inside", "Inside the trials of");
  const percentiles = createComparedPercentiles(signal);
  const throughput = createComparedThroughput(signal);
  const matrix = createComparedMatrix();
  const order = createRunOrder(signal);
  const inside = createInside(signal);
  const differences = createDifferences();
  const with_cases = h(
    "div",
    { class: "view" },
    controls.element,
    forest.element,
    matrix.element,
    h(
      "div",
      { class: "toolbar no-print" },
      highlight.element,
      h("div", { class: "filters" }, latency.element, rate.element),
    ),
    h("div", { class: "columns" }, percentiles.element, throughput.element),
    h("div", { class: "filters no-print" }, inside_of.element),
    h("div", { class: "columns" }, inside.element, order.element),
  );
  element.append(...head.elements, banner, going, nothing, with_cases, differences.element);

  // The blocks are many: they are read when the reader comes near.
  const watcher = new IntersectionObserver(
    ([entry]) => {
      if (!entry.isIntersecting) return;
      near = true;
      watcher.disconnect();
      readSeries();
    },
    { rootMargin: "400px" },
  );
  watcher.observe(inside.element);
  signal.addEventListener("abort", () => watcher.disconnect());

  function readSeries() {
    if (!near || !shown) return;
    for (const { run } of shown.sides) {
      if (asked_series.has(run.id)) continue;
      asked_series.add(run.id);
      getSeries(run.id, signal).then(
        (trials) => {
          series.set(run.id, trials);
          if (shown) renderInside(shown);
        },
        (error) => {
          asked_series.delete(run.id);
          if (!signal.aborted) tellProblem(store, error);
        },
      );
    }
  }

  /** @param {Compared} compared */
  function renderLatency(compared) {
    const groups = latencyGroupsOf(compared);
    const group = groups.find(({ key }) => key === compared.question.latency) ?? groups[0];
    latency.element.hidden = groups.length < 2;
    latency.update(
      groups.map(({ key, text }) => ({ value: key, text })),
      group?.key ?? "",
    );
    percentiles.element.hidden = !group;
    if (group) percentiles.update(compared, group);
  }

  /** @param {Compared} compared */
  function renderInside(compared) {
    const { question, legend, highlight: names } = compared;
    const common = commonCases(compared.sides);
    const one =
      common.find((other) => caseKey(other) === question.inside) ??
      common.find(({ mechanism }) => mechanism === names[0]) ??
      common[0];
    inside_of.update(
      common.map((other) => ({
        value: caseKey(other),
        text: `${legend.titleOf(other.mechanism)}, ${groupText(other)}`,
      })),
      one ? caseKey(one) : "",
    );
    if (one) inside.update(compared, one, series);
  }

  /** @param {Compared} compared */
  function renderNotes({ sides, comparison }) {
    banner.hidden = comparison.comparable === true;
    setText(
      banner,
      comparison.comparable === null
        ? "One of these runs does not say on which machine it was taken, so it is not known whether they compare. Look at " +
            "them as you like; a gate will not decide on them."
        : "These runs were taken on machines, or behind an isolation, that do not compare: the ratios below tell the machines " +
            "apart as much as the code. Look at them as you like; a gate will not decide on them.",
    );
    const unfinished = sides.filter(({ run }) => !isOver(run.state));
    going.hidden = unfinished.length === 0;
    setText(
      going,
      unfinished
        .map(({ run }) => `Run ${run.id} goes on: ${run.trials_done} of ${formatPlural(run.trials_total, "trial")}.`)
        .join(" ") + " What is shown is what there is so far, and follows.",
    );
  }

  return {
    element,
    /** @param {Compared} compared */
    update(compared) {
      shown = compared;
      element.hidden = false;
      for (const { run } of compared.sides) if (!isOver(run.state)) asked_series.delete(run.id);
      head.update(compared);
      renderNotes(compared);
      const measured = compared.comparison.verdicts.length > 0;
      nothing.hidden = measured;
      with_cases.hidden = !measured;
      differences.update(compared);
      if (!measured) return;
      controls.update(compared);
      forest.update(compared);
      matrix.update(compared);
      const names = [...new Set(compared.comparison.verdicts.map(({ mechanism }) => mechanism))];
      highlight.update({ ...compared, names });
      renderLatency(compared);
      const streams = throughput.update(compared);
      throughput.element.hidden = !streams;
      percentiles.element.classList.toggle("wide", !streams || throughput.element.classList.contains("wide"));
      rate.element.hidden = !streams;
      rate.update(
        [
          { value: "bytes_per_s", text: "bytes a second" },
          { value: "messages_per_s", text: "messages a second" },
        ],
        compared.question.rate,
      );
      order.update(compared);
      renderInside(compared);
      readSeries();
    },
  };
}
