/** What the page does: calls the server and dispatches what came of it. */

import * as api from "./api.js";
import { collectFigures, runsToRead } from "./figures.js";
import { offersOf } from "./offers.js";
import { isOver } from "./words.js";

/**
 * @typedef {import("./store.js").Store} Store
 * @typedef {import("./types.js").Run} Run
 */

const runs_looked_at = 100;
const results_read_max = 12;

/** @param {unknown} error */
export function problemText(error) {
  if (error instanceof api.Problem) return error.detail || error.title;
  return error instanceof Error ? error.message : String(error);
}

/**
 * @param {Store} store
 * @param {unknown} error
 */
export function tellProblem(store, error) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  store.dispatch({ type: "notice", notice: { tone: "bad", text: problemText(error) } });
}

/** @param {Store} store */
export async function loadFrame(store) {
  const [machine, health] = await Promise.all([api.getMachine(), api.getHealth()]);
  store.dispatch({ type: "machine", machine });
  store.dispatch({ type: "health", health });
}

/** @type {Promise<void>|null} */
let catalogue = null;

/**
 * Reads mechanisms and presets once; a failed attempt may be repeated.
 * @param {Store} store
 * @returns {Promise<void>}
 */
export function loadCatalogue(store) {
  catalogue ??= Promise.all([api.getMechanisms(), api.getPresets()]).then(
    ([mechanisms, presets]) => store.dispatch({ type: "catalogue", mechanisms, presets }),
    (error) => {
      catalogue = null;
      throw error;
    },
  );
  return catalogue;
}

/**
 * Reads once what an experiment may say.
 * @param {Store} store
 * @param {AbortSignal} signal
 */
export async function loadOffers(store, signal) {
  if (store.getState().offers) return;
  store.dispatch({ type: "offers", offers: offersOf(await api.getDescription(signal)) });
}

/**
 * @param {Store} store
 * @param {number} id
 * @param {AbortSignal} signal
 */
async function loadResults(store, id, signal) {
  store.dispatch({ type: "results", run: id, cases: await api.getResults(id, signal) });
}

/**
 * The latest runs, and the results the matrix needs of them.
 * @param {Store} store
 * @param {AbortSignal} signal
 */
export async function loadOverview(store, signal) {
  await loadCatalogue(store);
  const { runs, next_cursor } = await api.getRuns({ limit: runs_looked_at }, signal);
  store.dispatch({ type: "runs", runs });
  await loadMissingResults(store, signal);
  // What older pages hold is asked for only where the latest runs leave a mechanism without a figure.
  for (const mechanism of next_cursor ? lackingFigures(store) : []) {
    const found = await api.getRuns({ mechanism, state: "done", limit: 1 }, signal);
    store.dispatch({ type: "runs", runs: found.runs });
    await loadMissingResults(store, signal);
  }
}

/**
 * Results of a run that is over do not change; those of one that goes on are read again.
 * @param {Store} store
 * @param {AbortSignal} signal
 */
async function loadMissingResults(store, signal) {
  const { runs, results, followed } = store.getState();
  const wanted = runsToRead(runs, followed, results_read_max).filter(
    (run) => !isOver(run.state) || run.id === followed || !results.has(run.id),
  );
  await Promise.all(wanted.map((run) => loadResults(store, run.id, signal)));
}

/** @param {Store} store @returns {string[]} */
function lackingFigures(store) {
  const { mechanisms, runs, results, followed } = store.getState();
  const shown = new Set(collectFigures(runs, results, followed).map((figure) => figure.case.mechanism));
  return mechanisms.filter((one) => one.available && !shown.has(one.name)).map((one) => one.name);
}

/**
 * @param {Store} store
 * @param {number} id
 * @param {AbortSignal} signal
 */
export async function loadRun(store, id, signal) {
  const { run } = await api.getRun(id, signal);
  store.dispatch({ type: "runs", runs: [run] });
  const [cases, trials] = await Promise.all([api.getResults(id, signal), api.getTrials(id, signal)]);
  store.dispatch({ type: "results", run: id, cases });
  store.dispatch({ type: "trials", run: id, trials });
}

/**
 * The facts behind a run's machine. A fingerprint that is known is not read again.
 * @param {Store} store
 * @param {string} full
 * @param {AbortSignal} signal
 */
export async function loadMachineOfRuns(store, full, signal) {
  if (store.getState().machines.has(full)) return;
  store.dispatch({ type: "machine_of_runs", machine: await api.getMachineOfRuns(full, signal) });
}

/**
 * @param {Store} store
 * @param {import("./types.js").Experiment} experiment
 * @param {string} key
 * @returns {Promise<Run>}
 */
export async function startRun(store, experiment, key) {
  const run = await api.postRun(experiment, key);
  store.dispatch({ type: "runs", runs: [run] });
  return run;
}

/**
 * @param {Store} store
 * @param {number} id
 */
export async function stopRun(store, id) {
  try {
    const run = await api.cancelRun(id);
    if (run) store.dispatch({ type: "runs", runs: [run] });
  } catch (error) {
    // 409: it ended by itself in the meantime, which is what was wanted.
    if (!(error instanceof api.Problem && error.status === 409)) tellProblem(store, error);
  }
}

/**
 * The event brings the revision that did it; until it comes, the next one after that which was seen is as good.
 * @param {Store} store
 * @param {number} id
 */
export async function deleteRun(store, id) {
  const rev = (store.getState().runs.get(id)?.rev ?? 0) + 1;
  await api.deleteRun(id);
  store.dispatch({ type: "run_deleted", id, rev });
  store.dispatch({
    type: "notice",
    notice: {
      tone: "good",
      text: `Run ${id} was deleted.`,
      action: { label: "Undo", act: () => void restoreRun(store, id) },
    },
  });
}

/**
 * @param {Store} store
 * @param {number} id
 */
export async function restoreRun(store, id) {
  try {
    const run = (await api.restoreRun(id)) ?? (await api.getRun(id)).run;
    store.dispatch({ type: "runs", runs: [run] });
    store.dispatch({ type: "resync" });
    store.dispatch({ type: "notice", notice: { tone: "good", text: `Run ${id} is back.` } });
  } catch (error) {
    tellProblem(store, error);
  }
}

/**
 * Saves what a reader may change. The ETag moves with every trial of a running run, so a refusal is a conflict only if
 * one of these fields is no longer what the reader saw when the edit began.
 * @param {Store} store
 * @param {Run} seen
 * @param {Partial<Pick<Run, "name"|"note"|"tags"|"pinned">>} changes
 * @returns {Promise<{saved: boolean, run: Run}>}  not saved: somebody else changed it first, and this is theirs
 */
export async function saveRun(store, seen, changes) {
  const attempts = 3;
  for (let attempt = 1; ; attempt++) {
    const { run, etag } = await api.getRun(seen.id);
    const same = /** @type {(keyof typeof changes)[]} */ (Object.keys(changes)).every(
      (name) => JSON.stringify(run[name]) === JSON.stringify(seen[name]),
    );
    if (!same || !etag) {
      store.dispatch({ type: "runs", runs: [run] });
      return { saved: false, run };
    }
    try {
      const saved = await api.patchRun(seen.id, changes, etag);
      store.dispatch({ type: "runs", runs: [saved.run] });
      return { saved: true, run: saved.run };
    } catch (error) {
      if (!(error instanceof api.Problem && error.status === 412 && attempt < attempts)) throw error;
    }
  }
}
