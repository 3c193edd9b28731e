/** What the page does: calls the server and dispatches what came of it. */

import * as api from "./api.js";
import { collectFigures } from "./figures.js";
import { isOver } from "./words.js";

/**
 * @typedef {import("./store.js").Store} Store
 * @typedef {import("./types.js").Run} Run
 */

const runs_looked_at = 40;

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

/** @param {Store} store */
export async function loadCatalogue(store) {
  const [mechanisms, presets] = await Promise.all([api.getMechanisms(), api.getPresets()]);
  store.dispatch({ type: "catalogue", mechanisms, presets });
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
 * The latest runs, and results until every available mechanism has a figure, or nothing more is archived for it.
 * @param {Store} store
 * @param {AbortSignal} signal
 */
export async function loadOverview(store, signal) {
  const { runs } = await api.getRuns({ limit: runs_looked_at }, signal);
  store.dispatch({ type: "runs", runs });
  const current = runs.find((run) => run.state === "running");
  if (current) await loadResults(store, current.id, signal);
  for (const run of runs.filter((one) => one.state === "done")) {
    if (lackingFigures(store).length === 0) break;
    if (!store.getState().results.has(run.id)) await loadResults(store, run.id, signal);
  }
  for (const mechanism of lackingFigures(store)) {
    const found = await api.getRuns({ mechanism, limit: 5 }, signal);
    const run = found.runs.find((one) => one.state === "done") ?? found.runs.find((one) => isOver(one.state));
    if (!run || store.getState().results.has(run.id)) continue;
    store.dispatch({ type: "runs", runs: [run] });
    await loadResults(store, run.id, signal);
  }
  store.dispatch({ type: "loaded" });
}

/** @param {Store} store @returns {string[]} */
function lackingFigures(store) {
  const { mechanisms, runs, results, followed } = store.getState();
  const shown = new Set(
    collectFigures(runs, results, followed).filter(({ case: one }) => one.pattern !== "paced").map(({ case: one }) => `${one.mechanism} ${one.pattern}`),
  );
  return mechanisms
    .filter((one) => one.available && !(shown.has(`${one.name} round_trip`) && shown.has(`${one.name} stream`)))
    .map((one) => one.name);
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
 * @param {Store} store
 * @param {number} id
 */
export async function deleteRun(store, id) {
  await api.deleteRun(id);
  store.dispatch({ type: "run_deleted", id });
  store.dispatch({
    type: "notice",
    notice: { tone: "good", text: `Run ${id} was deleted.`, action: { label: "Undo", act: () => void restoreRun(store, id) } },
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
 * @returns {Promise<boolean>}  false: somebody else changed it first; the page now shows theirs
 */
export async function saveRun(store, seen, changes) {
  const attempts = 3;
  for (let attempt = 1; ; attempt++) {
    const { run, etag } = await api.getRun(seen.id);
    const same = /** @type {(keyof typeof changes)[]} */ (Object.keys(changes)).every((name) => JSON.stringify(run[name]) === JSON.stringify(seen[name]));
    if (!same || !etag) {
      store.dispatch({ type: "runs", runs: [run] });
      return false;
    }
    try {
      const saved = await api.patchRun(seen.id, changes, etag);
      store.dispatch({ type: "runs", runs: [saved.run] });
      return true;
    } catch (error) {
      if (!(error instanceof api.Problem && error.status === 412 && attempt < attempts)) throw error;
    }
  }
}
