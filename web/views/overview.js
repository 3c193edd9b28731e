/** The first page: the comparison itself, filling in while a run goes on. */

import { loadOverview, problemText, startRun, stopRun, tellProblem } from "../js/actions.js";
import { getRun, newKey } from "../js/api.js";
import { h, setChildren, setText } from "../js/dom.js";
import { choiceOf, collectFigures, optionsOf } from "../js/figures.js";
import { formatBytes } from "../js/format.js";
import { navigate, navigateQuery } from "../js/router.js";
import { placementText, waitText } from "../js/words.js";
import { createExperimentDialog } from "../components/experiment/experiment.js";
import { createMatrix } from "../components/matrix/matrix.js";
import { createMethod } from "../components/method/method.js";
import { createProgress } from "../components/progress/progress.js";
import { createStart } from "../components/start/start.js";

/**
 * @typedef {import("../js/figures.js").Options} Options
 * @typedef {import("../js/figures.js").Choice} Choice
 * @typedef {import("../js/types.js").Run} Run
 */

/**
 * Selects for what the archive leaves to choose; a question with one answer is not asked.
 * @returns {{element: HTMLElement, update: (options: Options, choice: Choice) => void}}
 */
function createFilters() {
  const element = h("div", { class: "filters" });
  let shown = "";
  /**
   * @param {string} name
   * @param {string} label
   * @param {(string|number)[]} values
   * @param {string|number|null} chosen
   * @param {(value: any) => string} text
   * @param {boolean} optional  "any" is an answer, too
   */
  const filter = (name, label, values, chosen, text, optional) =>
    values.length > 1 &&
    h(
      "label",
      {},
      h("span", {}, label),
      h(
        "select",
        { name, onchange: (/** @type {Event} */ event) => navigateQuery({ [name]: /** @type {HTMLSelectElement} */ (event.target).value }) },
        optional && h("option", { value: "" }, "any"),
        values.map((value) => h("option", { value, selected: value === chosen }, text(value))),
      ),
    );
  return {
    element,
    update(options, choice) {
      const now = JSON.stringify([options, choice]);
      if (now === shown || element.contains(document.activeElement)) return;
      shown = now;
      setChildren(
        element,
        filter("round_trip_bytes", "Round trip", options.round_trip_bytes, choice.round_trip_bytes, formatBytes, false),
        filter("stream_bytes", "Stream", options.stream_bytes, choice.stream_bytes, formatBytes, false),
        filter("placement", "Placement", options.placement, choice.placement, placementText, true),
        filter("wait", "Waiting", options.wait, choice.wait, waitText, true),
      );
    },
  };
}

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountOverview({ root, signal, query, store }) {
  let asked = query;

  /** @param {import("../js/types.js").Experiment} experiment @param {string} key */
  async function startOwn(experiment, key) {
    const run = await startRun(store, experiment, key);
    started = run.id;
  }
  /** @type {number|null} */
  let started = null;

  const progress = createProgress({ link: true, onstop: (run) => void stopRun(store, run.id) });
  const start = createStart({
    onstart: (preset) => startRun(store, { preset: preset.name }, newKey()).then(() => undefined, (error) => tellProblem(store, error)),
  });
  const filters = createFilters();
  const matrix = createMatrix();
  const trouble = h("p", { class: "card", role: "alert", hidden: true });
  const dialog = createExperimentDialog({
    onstart: startOwn,
    onclose: () => {
      // A run of one's own may have any sizes and patterns; its page shows them all.
      if (started !== null) navigate(`/runs/${started}`, { replace: true });
      else if (new URLSearchParams(location.search).has("own")) navigateQuery({ own: null });
    },
  });
  signal.addEventListener("abort", () => dialog.close());

  root.append(
    h(
      "div",
      { class: "view-head" },
      h(
        "div",
        { class: "grow" },
        h("h1", { tabindex: "-1" }, "How do two processes talk?"),
        h("p", { class: "lead" }, "Every mechanism the kernel offers, by what it can do and by what it costs on this machine. Each figure below was measured here; each opens the run it came from."),
      ),
    ),
    progress.element,
    h("div", { class: "toolbar" }, start.element, filters.element),
    trouble,
    matrix.element,
    createMethod(),
    dialog.element,
  );

  async function openDialog() {
    const from = asked.get("own");
    const { mechanisms, presets } = store.getState();
    if (mechanisms.length === 0) return;
    try {
      const known = from && /^\d+$/.test(from) ? (await getRun(Number(from), signal)).run.experiment : {};
      dialog.open({ mechanisms: presets[0]?.experiment.mechanisms, ...known }, mechanisms);
    } catch (error) {
      tellProblem(store, error);
    }
  }

  store.watch((state) => [state.resync], (resync) => {
    if (resync === 0) return;
    loadOverview(store, signal).then(
      () => { trouble.hidden = true; },
      (error) => {
        if (signal.aborted) return;
        trouble.hidden = false;
        setText(trouble, problemText(error));
      },
    );
  }, signal);

  store.watch((state) => [state.runs, state.followed, state.mechanisms], (runs, followed, mechanisms) => {
    const queued = [...runs.values()].filter((run) => run.state === "queued").sort((a, b) => a.id - b.id);
    const run = (followed === null ? null : runs.get(followed)) ?? queued[0];
    progress.element.hidden = !run;
    if (run) {
      const titles = new Map(mechanisms.map((one) => [one.name, one.title]));
      progress.update({ run, waiting: queued.filter((one) => one !== run).length, titleOf: (name) => titles.get(name) ?? name });
    }
  }, signal);

  store.watch((state) => [state.presets, state.runs], (presets, runs) => {
    start.update(presets, [...runs.values()].some((run) => run.state === "running" || run.state === "queued"));
  }, signal);

  function render() {
    const { mechanisms, runs, results, followed, sample } = store.getState();
    const figures = collectFigures(runs, results, followed);
    const options = optionsOf(figures);
    const choice = choiceOf(figures, options, followed, asked);
    const run = followed === null ? undefined : runs.get(followed);
    filters.update(options, choice);
    matrix.update({ mechanisms, figures, choice, current: run?.state === "running" ? (run.current ?? null) : null, sample });
  }
  store.watch((state) => [state.mechanisms, state.runs, state.results, state.followed, state.sample], render, signal);

  store.watch((state) => [state.mechanisms], () => {
    if (asked.has("own")) void openDialog();
  }, signal);

  return {
    title: "",
    query: (now) => {
      asked = now;
      if (now.has("own")) void openDialog();
      else dialog.close();
      render();
    },
  };
}
