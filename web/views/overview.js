/** The first page: the comparison itself, filling in while a run goes on. */

import { loadOffers, loadOverview, problemText, startRun, stopRun, tellProblem } from "../js/actions.js";
import { getClaims, getRun, newKey } from "../js/api.js";
import { proofsOf } from "../js/criteria.js";
import { h, setChildren, setText } from "../js/dom.js";
import { repeatedExperiment } from "../js/experiment.js";
import { choiceOf, collectFigures, optionsOf, pickFigure } from "../js/figures.js";
import { formatBytes } from "../js/format.js";
import { legendOf } from "../js/mechanisms.js";
import { navigate, navigateQuery } from "../js/router.js";
import { placementText, waitText } from "../js/words.js";
import { createExperimentDialog } from "../components/experiment/experiment.js";
import { createFilter } from "../components/filters/filters.js";
import { createMatrix } from "../components/matrix/matrix.js";
import { createMethod } from "../components/method/method.js";
import { createProgress } from "../components/progress/progress.js";
import { createStart } from "../components/start/start.js";

/**
 * @typedef {import("../js/figures.js").Options} Options
 * @typedef {import("../js/figures.js").Choice} Choice
 * @typedef {import("../js/store.js").State} State
 * @typedef {import("../js/store.js").Store} Store
 */

const lead =
  "Every mechanism the kernel offers, by what it can do and by what it costs on this machine. " +
  "Each figure below was measured here; each opens the run it came from.";

/** Selects for what the archive leaves to choose; a question with one answer is not asked. */
function createFilters() {
  const element = h("div", { class: "filters" });
  let shown = "";
  return {
    element,
    /** @param {Options} options @param {Choice} choice */
    update(options, choice) {
      const now = JSON.stringify([options, choice]);
      if (now === shown || element.contains(document.activeElement)) return;
      shown = now;
      /** @param {"round_trip_bytes"|"stream_bytes"} name @param {string} label */
      const sizes = (name, label) =>
        options[name].length > 1 &&
        createFilter({ name, label, values: options[name], chosen: choice[name], text: formatBytes });
      /** @param {"placement"|"wait"} name @param {string} label @param {(name: string) => string} text */
      const words = (name, label, text) =>
        options[name].length > 1 &&
        createFilter({ name, label, values: options[name], chosen: choice[name], text, optional: true });
      setChildren(
        element,
        sizes("round_trip_bytes", "Round trip"),
        sizes("stream_bytes", "Stream"),
        words("placement", "Placement", placementText),
        words("wait", "Waiting", waitText),
      );
    },
  };
}

/**
 * The dialog for an experiment of one's own. It is open while the address says so: ?own, or ?own=17 to start from a run.
 * @param {Store} store
 * @param {AbortSignal} signal
 */
function createOwnExperiment(store, signal) {
  /** @type {number|null} */
  let started = null;
  const dialog = createExperimentDialog({
    onstart: async (experiment, key) => {
      started = (await startRun(store, experiment, key)).id;
    },
    onclose: () => {
      // A run of one's own may have any sizes and patterns; its page shows them all.
      if (started !== null) navigate(`/runs/${started}`, { replace: true });
      else if (new URLSearchParams(location.search).has("own")) navigateQuery({ own: null });
    },
  });
  signal.addEventListener("abort", () => dialog.close());

  /** @param {string} from */
  async function open(from) {
    const { mechanisms: catalogue, presets, machine } = store.getState();
    if (catalogue.length === 0) return;
    try {
      await loadOffers(store, signal);
      const { offers } = store.getState();
      const repeated = /^\d+$/.test(from) ? (await getRun(Number(from), signal)).run.experiment : null;
      const known = repeated ? repeatedExperiment(repeated) : { mechanisms: presets[0]?.experiment.mechanisms };
      if (offers) dialog.open({ from: known, repeated, catalogue, offers, cpus: machine?.cpus ?? null });
    } catch (error) {
      tellProblem(store, error);
    }
  }

  return {
    element: dialog.element,
    /** @param {URLSearchParams} query */
    follow(query) {
      const from = query.get("own");
      if (from === null) dialog.close();
      else void open(from);
    },
  };
}

/** @param {State} state */
function runToShow({ runs, followed }) {
  const queued = [...runs.values()].filter((run) => run.state === "queued").sort((a, b) => a.id - b.id);
  const run = (followed === null ? undefined : runs.get(followed)) ?? queued[0];
  return { run, waiting: queued.filter((one) => one !== run).length };
}

/** @param {State} state */
const isBusy = ({ runs }) => [...runs.values()].some(({ state }) => state === "running" || state === "queued");

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountOverview({ root, signal, query, store }) {
  let asked = query;
  /** @type {ReturnType<typeof proofsOf>|null} */
  let proofs = null;
  const progress = createProgress({ link: true, onstop: (run) => void stopRun(store, run.id) });
  const start = createStart({
    onstart: async (preset) => {
      await startRun(store, { preset: preset.name }, newKey()).catch((error) => tellProblem(store, error));
    },
  });
  const filters = createFilters();
  const matrix = createMatrix();
  const method = createMethod();
  const own = createOwnExperiment(store, signal);
  const trouble = h("p", { class: "card", role: "alert", hidden: true });
  root.append(
    h("div", {}, h("h1", { tabindex: "-1" }, "How do two processes talk?"), h("p", { class: "lead" }, lead)),
    progress.element,
    h("div", { class: "toolbar" }, start.element, filters.element),
    trouble,
    matrix.element,
    method.element,
    own.element,
  );

  async function load() {
    try {
      await loadOverview(store, signal);
      trouble.hidden = true;
    } catch (error) {
      if (signal.aborted) return;
      trouble.hidden = false;
      setText(trouble, problemText(error));
    }
  }

  /** Where the traits are proved. Figures do not wait for it, and without it nothing is missing but the links. */
  async function loadProofs() {
    try {
      proofs ??= proofsOf(await getClaims(signal));
    } catch (error) {
      if (!signal.aborted) tellProblem(store, error);
    }
    renderFigures();
  }

  function renderRuns() {
    const state = store.getState();
    const { run, waiting } = runToShow(state);
    progress.element.hidden = !run;
    if (run) progress.update({ run, waiting, legend: legendOf(state.mechanisms) });
    start.update(state.presets, isBusy(state));
  }

  function renderFigures() {
    const { mechanisms, machine, runs, results, followed, sample } = store.getState();
    const figures = collectFigures(runs, results, followed);
    const options = optionsOf(figures);
    const choice = choiceOf(figures, options, followed, asked);
    const run = followed === null ? undefined : runs.get(followed);
    const current = (run?.state === "running" && run.current) || null;
    filters.update(options, choice);
    matrix.update({ mechanisms, figures, choice, current, sample, proofs });
    const cases = mechanisms.flatMap(({ name }) => pickFigure(figures, name, "round_trip", choice)?.case ?? []);
    method.update({ overhead: machine?.overhead ?? null, cases, legend: legendOf(mechanisms) });
  }

  store.watch(
    (state) => [state.resync],
    (resync) => void (resync > 0 && load().then(loadProofs)),
    signal,
  );
  store.watch((state) => [state.runs, state.followed, state.mechanisms, state.presets], renderRuns, signal);
  store.watch(
    (state) => [state.mechanisms, state.machine, state.runs, state.results, state.followed, state.sample],
    renderFigures,
    signal,
  );
  store.watch(
    (state) => [state.mechanisms],
    () => own.follow(asked),
    signal,
  );

  return {
    title: "",
    query: (now) => {
      asked = now;
      own.follow(now);
      renderFigures();
    },
  };
}
