/** Runs held against one of them: verdicts, charts, and what differs around them. All that is chosen is in the address. */

import { loadCatalogue, loadMachineOfRuns, problemText } from "../js/actions.js";
import { Problem, getComparison, getResults, getRun, getTrials } from "../js/api.js";
import { highlighted, questionOf } from "../js/compare.js";
import { h, setText } from "../js/dom.js";
import { legendOf } from "../js/mechanisms.js";
import { setTitle } from "../js/router.js";
import { isOver } from "../js/words.js";
import { createChooser, createMissing } from "../components/compared/absent.js";
import { createComparison } from "../components/compared/comparison.js";
import { titleOf } from "../components/compared/head.js";
import { runLook, runName } from "../components/compared/model.js";

/**
 * @typedef {import("../js/types.js").Run} Run
 * @typedef {import("../js/types.js").Comparison} Comparison
 * @typedef {import("../js/compare.js").Question} Question
 */

/** While one of the runs goes on, it is compared again at most so often. */
const again_ms = 2000;

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
  const body = createComparison(store, signal);
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
    timer ||= window.setTimeout(() => {
      timer = 0;
      void load();
    }, again_ms);
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
      const asked = ({ base, against, statistic, max_slower }) =>
        JSON.stringify([base, against, statistic, max_slower]);
      if (asked(before) === asked(question)) render();
      else void load();
    },
  };
}
