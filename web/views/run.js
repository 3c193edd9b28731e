/** One run: everything that was measured, how, and on what. */

import {
  deleteRun,
  loadCatalogue,
  loadMachineOfRuns,
  loadRun,
  problemText,
  restoreRun,
  saveRun,
  startRun,
  stopRun,
  tellProblem,
} from "../js/actions.js";
import { Problem, newKey } from "../js/api.js";
import { h, setChildren, setText } from "../js/dom.js";
import { repeatedExperiment } from "../js/experiment.js";
import { legendOf } from "../js/mechanisms.js";
import { navigate, setTitle } from "../js/router.js";
import { isOver } from "../js/words.js";
import { createFigures } from "../components/figures/figures.js";
import { createProgress } from "../components/progress/progress.js";
import { createRunContext } from "../components/run-context/run-context.js";
import { createRunHead } from "../components/run-head/run-head.js";

/**
 * @typedef {import("../js/store.js").Store} Store
 * @typedef {import("../js/types.js").Run} Run
 * @typedef {import("../js/mechanisms.js").Legend} Legend
 */

/** @param {Store} store */
function createHead(store) {
  /** @param {unknown} error */
  const fail = (error) => tellProblem(store, error);
  return createRunHead({
    onsave: (run, changes) => saveRun(store, run, changes),
    onrepeat: (run) =>
      void startRun(store, repeatedExperiment(run.experiment), newKey()).then(
        (next) => navigate(`/runs/${next.id}`),
        fail,
      ),
    ondelete: (run) => void deleteRun(store, run.id).then(() => navigate("/runs"), fail),
    onpin: (run) => void saveRun(store, run, { pinned: !run.pinned }).catch(fail),
  });
}

/** @param {Run} run @param {Legend} legend */
function skippedText({ skipped = [] }, legend) {
  const list = skipped.map(({ mechanism, reason }) => `${legend.titleOf(mechanism)} (${reason})`);
  return list.length === 0 ? "" : `Left out: ${list.join("; ")}`;
}

/**
 * What stands in the place of a run that is not there (yet).
 * @param {Store} store
 * @param {number} id
 */
function createAbsence(store, id) {
  const text = h("p", { role: "status" }, "Reading the archive…");
  const restore = h("button", { type: "button", hidden: true, onclick: () => void restoreRun(store, id) }, "Restore");
  return {
    element: h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, `Run ${id}`), text, restore),
    /** @param {string} why @param {boolean} restorable */
    update(why, restorable) {
      setText(text, why);
      restore.hidden = !restorable;
    },
  };
}

/**
 * What the run itself says: its head, how far it is, where it was taken.
 * @param {Store} store
 */
function createAccount(store) {
  const head = createHead(store);
  const progress = createProgress({ link: false, onstop: (run) => void stopRun(store, run.id) });
  const skipped = h("p", { class: "card muted" });
  const context = h("div", {});
  let context_of = "";
  return {
    above: [head.element, progress.element, skipped],
    below: context,
    /**
     * @param {Run} run
     * @param {import("../js/types.js").Machine|null} taken_on  null: not known (yet)
     * @param {import("../js/types.js").Machine|null} here
     * @param {Legend} legend
     */
    update(run, taken_on, here, legend) {
      head.update(run);
      progress.element.hidden = isOver(run.state) && !run.message;
      progress.update({ run, waiting: 0, legend });
      setText(skipped, skippedText(run, legend));
      skipped.hidden = skipped.textContent === "";
      const now = JSON.stringify([run.machine, taken_on?.full, here?.full, run.isolation, run.experiment]);
      if (now !== context_of) setChildren(context, createRunContext(run, taken_on, here));
      context_of = now;
    },
  };
}

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountRun({ root, signal, parameters, query, store }) {
  const id = Number(parameters[0]);
  const absence = createAbsence(store, id);
  const account = createAccount(store);
  const figures = createFigures(signal);
  const body = h("div", { class: "view", hidden: true }, account.above, figures.element, account.below);
  root.append(h("p", { class: "crumb" }, h("a", { href: "/runs" }, "Runs"), ` / ${id}`), absence.element, body);
  let asked = query;
  let seen = false;
  let pointed_out = false;

  /** @param {Run|undefined} run */
  const titleOf = (run) => run?.name || `Run ${id}`;

  /** @param {string} why @param {boolean} restorable */
  function showAbsence(why, restorable) {
    absence.update(why, restorable);
    absence.element.hidden = false;
    body.hidden = true;
  }

  /** @param {unknown} error */
  function fail(error) {
    if (signal.aborted) return;
    const absent = error instanceof Problem && error.status === 404;
    if (absent || !seen) showAbsence(problemText(error), absent && error.detail.includes("deleted"));
    else tellProblem(store, error);
  }

  function renderRun() {
    const { runs, deleted, mechanisms, machines, machine: here } = store.getState();
    const run = runs.get(id);
    if (!run || run.deleted) {
      if (seen || run || deleted.has(id)) showAbsence("This run was deleted.", true);
      return;
    }
    seen = true;
    absence.element.hidden = true;
    body.hidden = false;
    setTitle(titleOf(run));
    account.update(run, machines.get(run.machine?.full ?? "") ?? null, here, legendOf(mechanisms));
  }

  function renderFigures() {
    const { results, mechanisms, trials, runs } = store.getState();
    const target = location.hash.slice(1);
    figures.update({
      cases: results.get(id) ?? [],
      trials: trials.get(id) ?? [],
      trials_total: runs.get(id)?.trials_total ?? 1,
      overhead: runs.get(id)?.overhead ?? null,
      query: asked,
      target,
      legend: legendOf(mechanisms),
    });
    const row = pointed_out || body.hidden ? null : document.getElementById(target);
    row?.scrollIntoView({ block: "center" });
    pointed_out ||= row !== null;
  }

  store.watch(
    (state) => [state.resync],
    (resync) => {
      if (resync > 0) Promise.all([loadCatalogue(store), loadRun(store, id, signal)]).catch(fail);
    },
    signal,
  );
  store.watch(
    (state) => [state.runs.get(id), state.deleted.get(id), state.mechanisms, state.machine, state.machines],
    renderRun,
    signal,
  );
  store.watch(
    (state) => [state.runs.get(id)?.machine?.full, state.machine],
    (full, here) => {
      if (full && here) loadMachineOfRuns(store, full, signal).catch((error) => tellProblem(store, error));
    },
    signal,
  );
  store.watch(
    (state) => [state.results.get(id), state.trials.get(id), state.mechanisms, state.runs.get(id)?.overhead],
    renderFigures,
    signal,
  );
  window.addEventListener("hashchange", renderFigures, { signal });

  return {
    title: titleOf(store.getState().runs.get(id)),
    query: (now) => {
      asked = now;
      renderFigures();
    },
  };
}
