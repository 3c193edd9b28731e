/** Runs held against one of them: verdicts, charts, and what differs around them. All that is chosen is in the address. */

import { loadCatalogue, loadMachineOfRuns, problemText, restoreRun, tellProblem } from "../js/actions.js";
import { Problem, getComparison, getResults, getRun, getRuns, getSeries, getTrials } from "../js/api.js";
import { caseKey, compareAddress, groupText, highlighted, pairsOf, questionOf } from "../js/compare.js";
import { csvText } from "../js/csv.js";
import { h, setChildren, setText } from "../js/dom.js";
import { reportText, saveText } from "../js/download.js";
import { formatPlural, formatTime } from "../js/format.js";
import { legendOf } from "../js/mechanisms.js";
import { setTitle } from "../js/router.js";
import { isOver } from "../js/words.js";
import { createControls, createHighlight, createSelect } from "../components/compared/controls.js";
import { createInside, createRunOrder } from "../components/compared/course.js";
import { createDifferences } from "../components/compared/differences.js";
import { createForest } from "../components/compared/forest.js";
import { createComparedHead, titleOf } from "../components/compared/head.js";
import { createComparedPercentiles, createComparedThroughput, latencyGroupsOf } from "../components/compared/lines.js";
import { createComparedMatrix } from "../components/compared/matrix.js";
import { commonCases, runLook, runName } from "../components/compared/model.js";

/**
 * @typedef {import("../js/store.js").Store} Store
 * @typedef {import("../js/types.js").Run} Run
 * @typedef {import("../js/types.js").Trial} Trial
 * @typedef {import("../js/types.js").Comparison} Comparison
 * @typedef {import("../js/compare.js").Question} Question
 * @typedef {import("../components/compared/model.js").Compared} Compared
 */

const runs_looked_at = 100;
const pairs_most = 8;
/** While one of the runs goes on, it is compared again at most so often. */
const again_ms = 2000;

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
 * What stands here before runs are chosen: how to choose, and pairs that suggest themselves.
 * @param {AbortSignal} signal
 */
function createChooser(signal) {
  const list = h("ul", { class: "pair-list" });
  const found = h("section", { class: "card stack", hidden: true }, h("h2", {}, "Taken twice"), list);
  const why = h("p", { class: "prose" });
  let asked = false;

  /** @param {{base: Run, against: Run}} pair */
  const createPair = ({ base, against }) =>
    h(
      "li",
      {},
      h("a", { href: compareAddress([base.id, against.id]) }, `#${against.id} against #${base.id}`),
      ` ${against.name} `,
      h("span", { class: "muted" }, `${formatTime(base.started_ms)} and ${formatTime(against.started_ms)}`),
    );

  return {
    element: h(
      "div",
      { class: "view" },
      h("div", {}, h("h1", { tabindex: "-1" }, "Compare"), h("p", { class: "lead" }, "Two to nine runs, case by case: what became faster, what slower, and how sure that is.")),
      why,
      h("p", {}, h("a", { class: "button", href: "/runs?state=done" }, "Choose runs in the archive")),
      found,
    ),
    /** @param {Question} question */
    update({ base }) {
      setText(why, base === null ? "Tick two or more runs in the archive, and compare them; the first is the base." : `Run ${base} is the base. Choose what to hold against it.`);
      if (asked) return;
      asked = true;
      getRuns({ state: "done", limit: runs_looked_at }, signal).then(
        ({ runs }) => {
          const pairs = pairsOf(runs, pairs_most);
          found.hidden = pairs.length === 0;
          setChildren(list, pairs.map(createPair));
        },
        () => {
          asked = false;
        },
      );
    },
  };
}

/**
 * Runs that are not there.
 * @param {Store} store
 */
function createMissing(store) {
  const element = h("div", { class: "stack", role: "status" });
  return {
    element,
    /** @param {{id: number, why: string, deleted: boolean}[]} missing */
    update(missing) {
      setChildren(
        element,
        missing.map(({ id, why, deleted }) =>
          h(
            "p",
            { class: "card compared-warning row" },
            h("span", {}, `Run ${id} is left out: ${why}`),
            deleted && h("button", { type: "button", class: "small", onclick: () => void restoreRun(store, id) }, "Restore"),
          ),
        ),
      );
    },
  };
}

/**
 * All that the page draws of a comparison.
 * @param {Store} store
 * @param {AbortSignal} signal
 */
function createBody(store, signal) {
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
      const refused = () => store.dispatch({ type: "notice", notice: { tone: "bad", text: `The browser lets nothing be copied here. The link: ${location.href}` } });
      if (navigator.clipboard) navigator.clipboard.writeText(location.href).then(done, refused);
      else refused();
    },
  });
  const banner = h("p", { class: "card compared-warning", hidden: true });
  const going = h("p", { class: "card compared-warning", role: "status", hidden: true });
  const nothing = h("p", { class: "card", hidden: true }, "These runs have no case in common: no mechanism was measured by both with one pattern, size, wait and placement. What differs is below.");
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
    h("div", { class: "toolbar no-print" }, highlight.element, h("div", { class: "filters" }, latency.element, rate.element)),
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
      common.map((other) => ({ value: caseKey(other), text: `${legend.titleOf(other.mechanism)}, ${groupText(other)}` })),
      one ? caseKey(one) : "",
    );
    if (one) inside.update(compared, one, series);
  }

  /** @param {Compared} compared */
  function renderNotes({ sides, comparison }) {
    banner.hidden = comparison.comparable;
    setText(
      banner,
      "These runs were taken on machines, or behind an isolation, that do not compare: the ratios below tell the machines " +
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

/** @param {unknown} error */
const isAbsent = (error) => error instanceof Problem && error.status === 404;

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountCompare({ root, signal, query, store }) {
  let question = questionOf(query);
  /** @type {Comparison|null} */
  let comparison = null;
  /** @type {number[]} */
  let ids = [];
  let turn = 0;
  let timer = 0;
  const chooser = createChooser(signal);
  const missing = createMissing(store);
  const body = createBody(store, signal);
  const status = h("p", { role: "status" }, "Reading the archive…");
  root.append(missing.element, status, chooser.element, body.element);
  chooser.element.hidden = true;
  signal.addEventListener("abort", () => clearTimeout(timer));

  /** @param {number} id */
  async function readRun(id) {
    try {
      const { run } = await getRun(id, signal);
      return { id, run, why: "", deleted: false };
    } catch (error) {
      if (!isAbsent(error)) throw error;
      const why = problemText(error);
      return { id, run: null, why, deleted: why.includes("deleted") };
    }
  }

  /** Results and trials of a run that is over are read once. @param {Run} run */
  async function readFigures(run) {
    const { results, trials } = store.getState();
    if (isOver(run.state) && results.has(run.id) && (trials.get(run.id)?.length ?? -1) >= run.trials_done) return;
    const [cases, taken] = await Promise.all([getResults(run.id, signal), getTrials(run.id, signal)]);
    store.dispatch({ type: "results", run: run.id, cases });
    store.dispatch({ type: "trials", run: run.id, trials: taken });
  }

  async function load() {
    const mine = ++turn;
    const { base, against, statistic, max_slower } = question;
    try {
      await loadCatalogue(store);
      const found = await Promise.all([...(base === null ? [] : [base]), ...against].map(readRun));
      if (mine !== turn) return;
      const runs = found.flatMap(({ run }) => run ?? []);
      store.dispatch({ type: "runs", runs });
      missing.update(found.filter(({ run }) => run === null));
      // Without its base, what is left is held against the first of it.
      if (runs.length < 2) return showChooser();
      const [first, ...others] = runs.map(({ id }) => id);
      const answer = await getComparison({ base: first, against: others.join(","), statistic, max_slower }, signal);
      await Promise.all(runs.map(readFigures));
      // Without its facts a machine is still told apart by its hash.
      await Promise.allSettled(
        runs.flatMap(({ machine }) => (machine ? [loadMachineOfRuns(store, machine.full, signal)] : [])),
      );
      if (mine !== turn) return;
      comparison = answer;
      ids = [first, ...others];
      render();
    } catch (error) {
      if (signal.aborted || mine !== turn) return;
      setText(status, problemText(error));
      status.hidden = false;
    }
  }

  function showChooser() {
    status.hidden = true;
    body.element.hidden = true;
    chooser.element.hidden = false;
    setTitle("Compare");
    chooser.update(question);
  }

  function render() {
    const { runs, results, trials, machines, mechanisms } = store.getState();
    if (!comparison || ids.length < 2) return;
    const sides = ids.flatMap((id, place) => {
      const run = runs.get(id);
      if (!run) return [];
      return [
        {
          run,
          name: runName(id),
          cases: results.get(id) ?? [],
          trials: trials.get(id) ?? [],
          machine: machines.get(run.machine?.full ?? "") ?? null,
          look: runLook(place),
        },
      ];
    });
    if (sides.length !== ids.length) return;
    status.hidden = true;
    chooser.element.hidden = true;
    setTitle(titleOf(sides));
    body.update({
      sides,
      comparison,
      question,
      highlight: highlighted(comparison.verdicts, question.highlight),
      legend: legendOf(mechanisms),
    });
  }

  /** A run that goes on is compared again once it has more to say. */
  function followRuns() {
    const { runs } = store.getState();
    if (ids.some((id) => comparison && !runs.has(id))) return void load();
    clearTimeout(timer);
    timer = window.setTimeout(() => void load(), again_ms);
  }

  store.watch(
    (state) => [state.resync],
    (resync) => void (resync > 0 && load()),
    signal,
  );
  store.watch(
    (state) => [ids.map((id) => `${state.runs.get(id)?.state} ${state.runs.get(id)?.trials_done}`).join()],
    () => {
      if (comparison) followRuns();
    },
    signal,
  );

  return {
    title: "Compare",
    query: (now) => {
      const before = question;
      question = questionOf(now);
      /** @param {Question} one */
      const asked = ({ base, against, statistic, max_slower }) => JSON.stringify([base, against, statistic, max_slower]);
      if (asked(before) === asked(question)) render();
      else void load();
    },
  };
}
