/** The runs of one experiment from the oldest to the newest, and where a case moved to another level. */

import { h, setChildren, setText } from "../../js/dom.js";
import { logAxis, ratioAxis } from "../../js/axes.js";
import { caseKey, compareAddress, groupText, pText, ratioText } from "../../js/compare.js";
import { formatPlural, formatTime } from "../../js/format.js";
import { formatOf, isWorse, relativePoints, runsOf } from "../../js/trends.js";
import { settingText, statisticText } from "../../js/words.js";
import { createChart } from "../chart/chart.js";
import { createName } from "../marker/marker.js";

/**
 * @typedef {import("../../js/types.js").TrendSeries} TrendSeries
 * @typedef {import("../../js/types.js").ChangePoint} ChangePoint
 * @typedef {import("../../js/mechanisms.js").Legend} Legend
 */

/** @param {ChangePoint} change @param {string} statistic */
const signOf = (change, statistic) => (isWorse(change, statistic) ? "▼" : "▲");

/** @param {ChangePoint} change @param {string} statistic */
const changeText = (change, statistic) =>
  `${signOf(change, statistic)} ${isWorse(change, statistic) ? "worse" : "better"} from here on: ${ratioText(change.ratio)}`;

/** One mechanism in several settings or at several distances: what tells its lines apart. @param {TrendSeries} one */
const partText = (one) => [one.distance && `distance ${one.distance}`, settingText(one)].filter(Boolean).join(", ");

const signs = "▲ ▼ a new level; core distance C solid, S dashed, X dotted; a point opens its run";

/** @type {Record<string, number>} */
const distance_dashes = { C: 0, same: 0, S: 1, X: 2 };

/** @param {AbortSignal} signal */
export function createTrendChart(signal) {
  const chart = createChart(signal);
  const title = h("h2", {});
  const about = h("small", { class: "muted" });
  return {
    element: h("section", { class: "card" }, h("div", { class: "card-head" }, title, about), chart.element),
    /**
     * @param {readonly TrendSeries[]} all
     * @param {readonly TrendSeries[]} series  of one pattern and size
     * @param {readonly string[]} highlight
     * @param {boolean} relative  each line over its own middle
     * @param {Legend} legend
     */
    update(all, series, highlight, relative, legend) {
      const runs = runsOf(all);
      const places = new Map(runs.map(({ run }, i) => [run, i]));
      const { statistic } = series[0];
      const what = `${groupText(series[0])}, ${statisticText(statistic)}`;
      setText(title, what.charAt(0).toUpperCase() + what.slice(1));
      setText(about, `${relative ? "each line over its own median" : "median over the trials of each run"}; ${signs}`);
      const lines = series.map((one) => {
        const changes = new Map(one.change_points.map((change) => [change.run, change]));
        return {
          key: one.mechanism,
          title: legend.titleOf(one.mechanism),
          part: partText(one),
          look: legend.lookOf(one.mechanism),
          dash: distance_dashes[one.distance ?? ""] ?? 3,
          quiet: !highlight.includes(one.mechanism),
          points: (relative ? relativePoints(one) : one.points).map(({ run, value, low, high, n, created_ms }, i) => {
            const change = changes.get(run);
            const figure = relative && formatOf(statistic)(one.points[i].value);
            const note = [
              figure,
              change && changeText(change, statistic),
              formatPlural(n, "trial"),
              formatTime(created_ms),
            ];
            return {
              x: places.get(run) ?? 0,
              estimate: { value, low, high },
              note: note.filter(Boolean).join("; "),
              mark: change && signOf(change, statistic),
              href: `/runs/${run}`,
            };
          }),
        };
      });
      const values = lines
        .filter(({ quiet }) => !quiet)
        .flatMap(({ points }) => points.map(({ estimate }) => estimate.value));
      chart.update({
        label: `Trend, ${what}`,
        x: {
          low: -0.5,
          high: Math.max(0.5, runs.length - 0.5),
          ticks: runs.map(({ run }, at) => ({ at, label: `#${run}` })),
          title: "runs in the order they were taken",
        },
        y: relative ? ratioAxis(values, { least: 1.1, most: 20 }) : logAxis(values),
        level: relative ? 1 : undefined,
        format: relative ? (value) => ratioText(value ?? null) : formatOf(statistic),
        long: true,
        series: lines,
      });
    },
  };
}

export function createChangeTable() {
  const body = h("tbody", {});
  const none = h(
    "p",
    { class: "compared-alike" },
    "No case moved to another level so far. A move counts from 2 % on, and if its p is below 0.001.",
  );
  const table = h(
    "table",
    { class: "data-table trend-changes" },
    h("caption", { class: "visually-hidden" }, "Changes of level"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["Mechanism", "Case", "Distance", "Between", "Before", "After", "Ratio", "p", ""].map((head, i) =>
          h("th", { scope: "col", class: i > 3 && i < 8 ? "number" : null }, head),
        ),
      ),
    ),
    body,
  );
  const scroll = h(
    "div",
    { class: "scroll-x", role: "region", tabindex: "0", "aria-label": "Changes of level" },
    table,
  );
  return {
    element: h(
      "section",
      { class: "card flush" },
      h(
        "div",
        { class: "card-head" },
        h("h2", {}, "Where it changed"),
        h("small", { class: "muted" }, "E-divisive means, each with a t-test, over the logarithms"),
      ),
      none,
      scroll,
    ),
    /** @param {readonly TrendSeries[]} series @param {Legend} legend */
    update(series, legend) {
      const changes = series.flatMap((one) => one.change_points.map((change) => ({ one, change })));
      changes.sort((a, b) => b.change.run - a.change.run);
      none.hidden = changes.length > 0;
      scroll.hidden = changes.length === 0;
      setChildren(
        body,
        changes.map(({ one, change }) => {
          const format = formatOf(one.statistic);
          const worse = isWorse(change, one.statistic);
          return h(
            "tr",
            { "data-case": caseKey(one) },
            h("th", { scope: "row" }, createName(legend.lookOf(one.mechanism), legend.titleOf(one.mechanism))),
            h("td", {}, groupText(one)),
            h("td", {}, one.distance ?? "–"),
            h(
              "td",
              { class: "nowrap" },
              h("a", { href: `/runs/${change.previous_run}` }, `#${change.previous_run}`),
              " and ",
              h("a", { href: `/runs/${change.run}` }, `#${change.run}`),
            ),
            h("td", { class: "number" }, format(change.before)),
            h("td", { class: "number" }, format(change.after)),
            h(
              "td",
              { class: "number" },
              h("span", { class: worse ? "chip bad" : "chip good" }, `${worse ? "▼" : "▲"} ${ratioText(change.ratio)}`),
            ),
            h("td", { class: "number" }, pText(change.p)),
            h("td", {}, h("a", { href: compareAddress([change.previous_run, change.run]) }, "compare the two")),
          );
        }),
      );
    },
  };
}
