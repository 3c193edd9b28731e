/** One experiment on one machine over time, or the experiments that were taken several times. */

import { loadCatalogue, loadMachineOfRuns, problemText } from "../js/actions.js";
import { getRepeated, getRun, getTrend } from "../js/api.js";
import { groupKey, statistics } from "../js/compare.js";
import { h, setChildren, setText } from "../js/dom.js";
import { formatPlural, formatTime } from "../js/format.js";
import { legendOf } from "../js/mechanisms.js";
import { addressWith, setTitle } from "../js/router.js";
import { chosenGroup, highlightedTrends, isRelative, runsOf } from "../js/trends.js";
import { statisticText } from "../js/words.js";
import { createHighlight } from "../components/compared/controls.js";
import { createSelect } from "../components/filters/filters.js";
import { createChangeTable, createTrendChart } from "../components/trend/trend.js";

/**
 * @typedef {import("../js/store.js").Store} Store
 * @typedef {import("../js/types.js").Trend} Trend
 * @typedef {import("../js/types.js").RepeatedExperiment} RepeatedExperiment
 */

const lead =
  "An experiment that is taken again and again shows what an update of the kernel, or a change of a setting, did.";

/** @param {URLSearchParams} query */
const questionOf = (query) => ({
  experiment: query.get("experiment") ?? "",
  machine: query.get("machine") ?? "",
  statistic: statistics.find((one) => one === query.get("statistic")) ?? null,
  cursor: query.get("cursor"),
});

/**
 * The experiments there are trends of, page by page.
 * @param {Store} store
 * @param {AbortSignal} signal
 */
function createList(store, signal) {
  const body = h("tbody", {});
  const table = h(
    "table",
    { class: "data-table trend-experiments" },
    h("caption", { class: "visually-hidden" }, "Experiments with several runs"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["Experiment", "Mechanisms", "Runs", "First", "Last", "Machine"].map((head) =>
          h("th", { scope: "col", class: head === "Runs" ? "number" : null }, head),
        ),
      ),
    ),
    body,
  );
  const card = h(
    "div",
    { class: "card flush scroll-x", role: "region", tabindex: "0", "aria-label": "Experiments", hidden: true },
    table,
  );
  const status = h("p", { role: "status" }, "Reading the archive…");
  /** @type {string|null} */
  let next = null;
  const more = h("button", { type: "button", hidden: true, onclick: () => void load(next) }, "Show more experiments");

  /** @param {RepeatedExperiment} one */
  function createRow({ experiment_hash, machine, runs, first_ms, last_ms, name, experiment }) {
    const here = store.getState().machine;
    const address = `/trends?${new URLSearchParams({ experiment: experiment_hash, machine: machine.full })}`;
    const legend = legendOf(store.getState().mechanisms);
    const mechanisms = experiment.mechanisms ?? [];
    const named = mechanisms.slice(0, 4).map(legend.titleOf).join(", ");
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, h("a", { href: address }, name || "unnamed")),
      h("td", { class: "muted" }, mechanisms.length > 4 ? `${named} and ${mechanisms.length - 4} more` : named),
      h("td", { class: "number" }, String(runs)),
      h("td", { class: "nowrap" }, formatTime(first_ms)),
      h("td", { class: "nowrap" }, formatTime(last_ms)),
      h("td", { class: "nowrap" }, machine.full === here?.full ? "this one" : machine.full.slice(0, 8)),
    );
  }

  let turn = 0;
  /** @param {string|null} cursor */
  async function load(cursor) {
    const mine = ++turn;
    try {
      const page = await getRepeated(cursor, signal);
      if (mine !== turn) return;
      if (cursor === null) setChildren(body);
      body.append(...page.experiments.map(createRow));
      next = page.next_cursor;
      more.hidden = next === null;
      card.hidden = body.childElementCount === 0;
      setText(
        status,
        card.hidden ? "No experiment was taken twice on one machine so far. Run one again from its page, and its trend begins." : "",
      );
    } catch (error) {
      if (!signal.aborted) setText(status, problemText(error));
    }
  }

  return {
    element: h(
      "div",
      { class: "view" },
      h("div", {}, h("h1", { tabindex: "-1" }, "Trends"), h("p", { class: "lead" }, lead)),
      card,
      status,
      more,
    ),
    load: () => load(null),
  };
}

/**
 * One trend.
 * @param {Store} store
 * @param {AbortSignal} signal
 */
function createTrend(store, signal) {
  const title = h("h1", { tabindex: "-1" });
  const about = h("p", { class: "lead" });
  const statistic = createSelect("statistic", "Trend of");
  const group = createSelect("group", "Case");
  const scale = createSelect("scale", "Shown");
  const highlight = createHighlight();
  const chart = createTrendChart(signal);
  const changes = createChangeTable();
  const status = h("p", { role: "status" });
  const newest = h("a", { class: "button small" }, "Newest runs");
  const older = h("a", { class: "button small" }, "Older runs");
  const drawn = h(
    "div",
    { class: "view" },
    highlight.element,
    chart.element,
    h("div", { class: "row no-print" }, newest, older),
    changes.element,
  );
  return {
    element: h(
      "div",
      { class: "view" },
      h("p", { class: "crumb" }, h("a", { href: "/trends" }, "Trends"), " / one experiment"),
      h(
        "div",
        { class: "view-head" },
        h("div", { class: "grow" }, title, about),
        h("div", { class: "filters no-print" }, group.element, statistic.element, scale.element),
      ),
      status,
      drawn,
    ),
    /** @param {string} text */
    fail(text) {
      setText(title, "Trend");
      setText(status, text);
      drawn.hidden = true;
    },
    /** @param {Trend} trend @param {URLSearchParams} query @param {string} name */
    update(trend, query, name) {
      const { mechanisms, machines } = store.getState();
      const legend = legendOf(mechanisms);
      const { series } = trend;
      const runs = runsOf(series);
      const machine = machines.get(trend.machine);
      setText(title, name || "Trend");
      setText(
        about,
        runs.length === 0
          ? ""
          : `${formatPlural(runs.length, "run")} on ${machine?.host ?? "one machine"}, from ${formatTime(runs[0].created_ms)} to ${formatTime(runs[runs.length - 1].created_ms)}.`,
      );
      setText(
        status,
        series.length === 0 ? "No run of this experiment ended on this machine, or none has such a figure." : "",
      );
      drawn.hidden = series.length === 0;
      newest.hidden = !query.has("cursor");
      newest.href = addressWith({ cursor: null });
      older.hidden = trend.next_cursor === null;
      older.href = addressWith({ cursor: trend.next_cursor });
      statistic.update(
        [
          { value: "", text: "what each pattern is about" },
          ...statistics.map((value) => ({ value, text: statisticText(value) })),
        ],
        query.get("statistic") ?? "",
      );
      const chosen = chosenGroup(series, query.get("group"));
      group.element.hidden = chosen.groups.length < 2;
      group.update(
        chosen.groups.map(({ key, text }) => ({ value: key, text })),
        chosen.group?.key ?? "",
      );
      if (!chosen.group) return;
      const own = series.filter((one) => groupKey(one) === chosen.group?.key);
      const names = [...new Set(own.map(({ mechanism }) => mechanism))];
      const colours = highlightedTrends(own, (query.get("highlight") ?? "").split(","));
      highlight.update({ names, highlight: colours, legend });
      highlight.element.hidden = names.length < 2;
      const relative = isRelative(
        own.filter(({ mechanism }) => colours.includes(mechanism)),
        query.get("scale"),
      );
      scale.update(
        [
          { value: "relative", text: "each over its middle" },
          { value: "absolute", text: "as measured" },
        ],
        relative ? "relative" : "absolute",
      );
      chart.update(series, own, colours, relative, legend);
      changes.update(series, legend);
    },
  };
}

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountTrends({ root, signal, query, store }) {
  let asked = query;
  /** @type {{trend: Trend, name: string}|null} */
  let shown = null;
  let turn = 0;
  const list = createList(store, signal);
  const one = createTrend(store, signal);
  root.append(list.element, one.element);

  async function load() {
    const mine = ++turn;
    const question = questionOf(asked);
    const of_one = question.experiment !== "";
    list.element.hidden = of_one;
    one.element.hidden = !of_one;
    try {
      await loadCatalogue(store);
      if (!of_one) return void list.load();
      const trend = await getTrend(question, signal);
      const last = runsOf(trend.series).pop();
      const name = last ? (await getRun(last.run, signal)).run.name : "";
      // The machine's name is an ornament: the trend stands without it.
      if (last) await loadMachineOfRuns(store, trend.machine, signal).catch(() => {});
      if (mine !== turn) return;
      shown = { trend, name };
      render();
    } catch (error) {
      if (!signal.aborted && mine === turn) one.fail(problemText(error));
    }
  }

  function render() {
    if (!shown) return;
    setTitle(`Trend of ${shown.name || "an experiment"}`);
    one.update(shown.trend, asked, shown.name);
  }

  // A run that ends adds a point.
  store.watch(
    (state) => [
      [...state.runs.values()].filter(
        ({ experiment_hash, state: word }) => experiment_hash === asked.get("experiment") && word === "done",
      ).length,
    ],
    () => {
      // Also while the first answer is on its way: it may know nothing of this run yet.
      if (turn > 0 && asked.has("experiment")) void load();
    },
    signal,
  );
  store.watch(
    (state) => [state.resync],
    (resync) => void (resync > 0 && load()),
    signal,
  );

  return {
    title: "Trends",
    query: (now) => {
      const before = JSON.stringify(questionOf(asked));
      asked = now;
      if (JSON.stringify(questionOf(now)) === before) return render();
      shown = null;
      void load();
    },
  };
}
