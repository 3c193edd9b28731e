/** Every trial with its value: a strip of dots for each case in the order of the run, and the trials as a table behind it. */

import { h, setChildren, setText, svg, syncChildren } from "../../js/dom.js";
import {
  formatByteRate,
  formatBytes,
  formatCount,
  formatFrequency,
  formatMessageRate,
  formatNs,
  formatNumber,
  formatPlural,
} from "../../js/format.js";
import { markerPath } from "../../js/mechanisms.js";
import { conditionsText, distanceText, flagName, flagText, integrityText, patternText } from "../../js/words.js";
import { createName } from "../marker/marker.js";

/**
 * @typedef {import("../../js/types.js").Case} Case
 * @typedef {import("../../js/types.js").Trial} Trial
 * @typedef {import("../../js/mechanisms.js").Look} Look
 * @typedef {{one: Case, trials: Trial[], title: string, look: Look, last_sequence: number}} Item
 */

const strip_px = 30;
/** @type {Record<string, import("../../js/mechanisms.js").Shape>} */
const distance_shapes = { same: "wedge", S: "circle", C: "square", X: "diamond", mixed: "triangle" };

/** @param {Trial} trial @param {Case} one @returns {number|null} */
function valueOf(trial, one) {
  const value = one.pattern === "stream" ? trial.bytes_per_s : trial.latency_ns?.p50;
  return typeof value === "number" ? value : null;
}

/** @param {Case} one */
const formatOf = (one) => (one.pattern === "stream" ? formatByteRate : formatNs);

/** @param {Item} item */
function createDots({ one, trials, last_sequence }) {
  const values = trials.map((trial) => valueOf(trial, one)).filter((value) => value !== null);
  const low = Math.min(...values);
  const high = Math.max(...values);
  // Trials that agree lie in the middle: at least 2 % of the value fill the height.
  const span = Math.max(high - low, 0.02 * high) || 1;
  const middle = (low + high) / 2;
  return svg(
    "svg",
    { class: "trial-dots", width: "100%", height: strip_px, "aria-hidden": "true" },
    svg("line", { class: "strip-grid", x1: 0, x2: "100%", y1: strip_px / 2, y2: strip_px / 2 }),
    trials.map((trial) => {
      const value = valueOf(trial, one);
      const y = value === null ? strip_px / 2 : strip_px / 2 - ((value - middle) / span) * (strip_px - 12);
      const shape = trial.state === "failed" ? "cross" : (distance_shapes[trial.distance ?? ""] ?? "circle");
      return svg(
        "svg",
        { x: `${(2 + (96 * trial.sequence) / Math.max(1, last_sequence)).toFixed(2)}%`, y, overflow: "visible" },
        svg("path", {
          class: trial.state === "failed" ? "trial-failed" : "trial-dot",
          d: markerPath(shape, 0, 0, 3.6),
        }),
      );
    }),
  );
}

/** @param {Trial} trial */
const createTrialState = ({ state, cause }) => [
  state === "failed" ? h("span", { class: "chip bad" }, "failed") : state,
  cause && h("div", { class: "conditions wrap" }, cause),
];

/** @param {Trial} trial */
const createFlags = ({ flags }) =>
  h(
    "div",
    { class: "trial-flags" },
    flags.map((flag) => h("span", { class: "chip", title: flagText(flag) }, flagName(flag))),
  );

/**
 * @typedef {import("../../js/dom.js").Child} Child
 * @typedef {{head: string, kind?: string, cell: (trial: Trial, one: Case) => Child|Child[]}} Column
 * @type {Column[]}
 */
const figure_columns = [
  { head: "Attempt", cell: ({ attempt }) => String(attempt) },
  { head: "State", cell: createTrialState },
  { head: "Figure", kind: "nowrap", cell: (trial, one) => formatOf(one)(valueOf(trial, one)) },
  { head: "Messages", kind: "nowrap", cell: ({ messages }) => formatCount(messages) },
];

/** @type {Column} */
const achieved_column = {
  head: "Rate reached",
  kind: "nowrap",
  cell: ({ achieved_hz }) => formatMessageRate(achieved_hz),
};

/** What else happened on the machine meanwhile. @type {Column[]} */
const circumstance_columns = [
  { head: "Distance", cell: ({ distance }) => h("span", { title: distanceText(distance) }, distance ?? "–") },
  { head: "One way, ns", cell: ({ core_distance_ns: list }) => list.map((ns) => ns.toFixed(0)).join(" ") || "–" },
  { head: "Waited for a CPU", kind: "nowrap", cell: ({ run_delay_ns }) => formatNs(run_delay_ns) },
  { head: "Made to leave it", cell: ({ context_switches }) => formatCount(context_switches?.involuntary) },
  { head: "Longest gap", kind: "nowrap", cell: ({ gap_ns_max }) => formatNs(gap_ns_max) },
  { head: "Stolen", kind: "nowrap", cell: ({ steal_ns }) => formatNs(steal_ns) },
  { head: "Load before", cell: ({ load }) => formatNumber(load) },
  { head: "CPU clock", kind: "nowrap", cell: ({ frequency_hz }) => formatFrequency(frequency_hz) },
  { head: "Intact?", cell: ({ integrity }) => integrityText(integrity) },
  { head: "Flags", cell: createFlags },
];

/** @param {Item} item */
function createTrialTable({ one, trials }) {
  const paced = one.pattern === "paced" ? [achieved_column] : [];
  const columns = [...figure_columns, ...paced, ...circumstance_columns];
  const figure_head = one.pattern === "stream" ? "Rate" : "p50";
  const heads = columns.map(({ head }) => h("th", { scope: "col" }, head === "Figure" ? figure_head : head));
  const rows = trials.map((trial) => {
    const cells = columns.map(({ kind, cell }) => h("td", { class: kind }, [cell(trial, one)].flat()));
    return h("tr", {}, h("th", { scope: "row" }, String(trial.sequence)), cells);
  });
  return h(
    "table",
    { class: "data-table" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Place in the run"), heads)),
    h("tbody", {}, rows),
  );
}

/** @param {Item} first */
function createCaseTrials(first) {
  const range = h("span", { class: "trial-range" });
  const dots = h("div", { class: "trial-strip" });
  const table = h("div", { class: "scroll-x", role: "region", tabindex: "0", "aria-label": `Trials, ${first.title}` });
  let item = first;
  let drawn = "";
  const element = h(
    "details",
    { class: "trial-case", "data-hue": first.look?.hue, "data-shade": first.look?.shade },
    h(
      "summary",
      {},
      h(
        "span",
        { class: "trial-name" },
        createName(first.look, first.title),
        h(
          "span",
          { class: "conditions" },
          `${formatBytes(first.one.message_bytes)} ${patternText(first.one.pattern)} · ${conditionsText(first.one)}`,
        ),
      ),
      dots,
      range,
    ),
    table,
  );
  const fill = () => {
    if (element.open) setChildren(table, createTrialTable(item));
  };
  element.addEventListener("toggle", fill);
  return {
    element,
    /** @param {Item} now */
    update(now) {
      item = now;
      const key = `${now.last_sequence} ${now.trials.map((trial) => trial.id).join()}`;
      if (key === drawn) return;
      drawn = key;
      const values = now.trials.map((trial) => valueOf(trial, now.one)).filter((value) => value !== null);
      const format = formatOf(now.one);
      const failed = now.trials.filter((trial) => trial.state === "failed").length;
      setChildren(dots, createDots(now));
      setText(
        range,
        [
          values.length === 0 ? "no value" : `${format(Math.min(...values))} – ${format(Math.max(...values))}`,
          formatPlural(values.length, "trial"),
          failed > 0 && `${failed} failed`,
        ]
          .filter(Boolean)
          .join(", "),
      );
      fill();
    },
  };
}

export function createTrials() {
  const list = h("div", {});
  const element = h(
    "section",
    { class: "card flush trials" },
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, "Trials"),
      h(
        "small",
        { class: "muted" },
        "left to right in the order they were taken, each case on its own scale; distance ● S  ■ C  ◆ X  ▲ mixed  ▼ same CPU; ✕ failed",
      ),
    ),
    list,
  );
  return {
    element,
    /**
     * @param {readonly Case[]} cases
     * @param {readonly Trial[]} trials
     * @param {number} total
     * @param {import("../../js/mechanisms.js").Legend} legend
     */
    update(cases, trials, total, legend) {
      /** @type {Map<number, Trial[]>} */
      const by_case = new Map();
      for (const one of cases) by_case.set(one.number, []);
      for (const trial of trials) by_case.get(trial.case)?.push(trial);
      const items = cases.flatMap((one) => {
        const own = (by_case.get(one.number) ?? []).sort((a, b) => a.sequence - b.sequence || a.attempt - b.attempt);
        return own.length === 0
          ? []
          : [
              {
                one,
                trials: own,
                title: legend.titleOf(one.mechanism),
                look: legend.lookOf(one.mechanism),
                last_sequence: total,
              },
            ];
      });
      element.hidden = items.length === 0;
      syncChildren(list, items, ({ one }) => String(one.number), createCaseTrials);
    },
  };
}
