import assert from "node:assert/strict";
import { test } from "node:test";

import { actionOf } from "../../web/js/events.js";
import { createStore, initial_state, reduce } from "../../web/js/store.js";
import { aCase, aRun, aTrial } from "./fixtures.js";

/** @typedef {import("../../web/js/store.js").Action} Action */

/** @param {Action[]} actions */
const after = (...actions) => actions.reduce(reduce, initial_state);

/** @type {import("../../web/js/types.js").Sample} */
const sample = {
  run: 1,
  sequence: 4,
  case: 0,
  mechanism: "pipe",
  pattern: "stream",
  message_bytes: 65536,
  elapsed_ms: 100,
  messages_per_s: 1,
  bytes_per_s: 1,
  latency_p50_ns: null,
};

test("an older run does not replace a newer one", () => {
  const state = after(
    { type: "runs", runs: [aRun({ rev: 3, name: "new" })] },
    { type: "runs", runs: [aRun({ rev: 2, name: "old" })] },
  );
  assert.equal(state.runs.get(1)?.name, "new");
});

test("progress within one revision goes forward only", () => {
  const state = after(
    { type: "runs", runs: [aRun({ trials_done: 5 })] },
    { type: "runs", runs: [aRun({ trials_done: 4 })] },
  );
  assert.equal(state.runs.get(1)?.trials_done, 5);
});

test("the run that goes on is followed, and stays followed when it ends", () => {
  const running = after({ type: "runs", runs: [aRun({ state: "running" })] });
  assert.equal(running.followed, 1);
  assert.equal(reduce(running, { type: "runs", runs: [aRun({ rev: 2 })] }).followed, 1);
});

test("a provisional figure ends with its trial, or with its run", () => {
  const measuring = after({ type: "runs", runs: [aRun({ state: "running" })] }, { type: "sample", sample });
  assert.equal(reduce(measuring, { type: "trial", run: 1, trial: aTrial({ sequence: 4 }) }).sample, null);
  assert.equal(reduce(measuring, { type: "trial", run: 1, trial: aTrial({ sequence: 3 }) }).sample, sample);
  assert.equal(reduce(measuring, { type: "runs", runs: [aRun({ state: "cancelled", rev: 2 })] }).sample, null);
});

test("a case that was read before its event arrived keeps the event's figures", () => {
  const state = after(
    { type: "case", run: 1, case: aCase({ trials: 3 }) },
    { type: "results", run: 1, cases: [aCase({ trials: 2 }), aCase({ number: 1, trials: 1 })] },
  );
  assert.deepEqual(
    state.results.get(1)?.map((one) => one.trials),
    [3, 1],
  );
});

test("a trial that is told twice is kept once, in order", () => {
  const state = after(
    { type: "trial", run: 1, trial: aTrial({ id: 2 }) },
    { type: "trial", run: 1, trial: aTrial({ id: 1 }) },
    { type: "trial", run: 1, trial: aTrial({ id: 2, state: "failed" }) },
  );
  assert.deepEqual(
    state.trials.get(1)?.map((one) => [one.id, one.state]),
    [
      [1, "done"],
      [2, "failed"],
    ],
  );
});

test("a trial told while the list was being read is kept", () => {
  const state = after(
    { type: "trial", run: 1, trial: aTrial({ id: 3 }) },
    { type: "trials", run: 1, trials: [aTrial({ id: 1 }), aTrial({ id: 2 })] },
  );
  assert.deepEqual(
    state.trials.get(1)?.map((one) => one.id),
    [1, 2, 3],
  );
});

test("machines are kept by their hash, the one the server runs on among them", () => {
  const state = after(
    { type: "machine", machine: { comparable: "a", full: "b" } },
    { type: "machine_of_runs", machine: { comparable: "c", full: "d" } },
  );
  assert.deepEqual([...state.machines.keys()], ["b", "d"]);
  assert.equal(state.machine?.full, "b");
});

test("a deleted run is gone and no longer followed", () => {
  const state = after({ type: "runs", runs: [aRun({ state: "running" })] }, { type: "run_deleted", id: 1, rev: 2 });
  assert.equal(state.runs.size, 0);
  assert.equal(state.followed, null);
});

test("an answer from before a run was deleted does not bring it back, one from after it was restored does", () => {
  const gone = after({ type: "run_deleted", id: 1, rev: 2 });
  assert.equal(reduce(gone, { type: "runs", runs: [aRun({ rev: 1 })] }).runs.size, 0);
  const back = reduce(gone, { type: "runs", runs: [aRun({ rev: 3 })] });
  assert.equal(back.runs.size, 1);
  assert.equal(reduce(back, { type: "run_deleted", id: 1, rev: 2 }).runs.size, 1, "nor does what was told before");
});

test("listeners hear once a frame, only of what they selected, until their signal aborts", () => {
  /** @type {(() => void)[]} */
  const frames = [];
  const store = createStore(initial_state, (tell) => frames.push(tell));
  const lifetime = new AbortController();
  /** @type {string[]} */
  const heard = [];
  store.watch(
    (state) => [state.connection],
    (connection) => heard.push(connection),
    lifetime.signal,
  );
  store.dispatch({ type: "connection", connection: "lost" });
  store.dispatch({ type: "connection", connection: "live" });
  store.dispatch({ type: "resync" });
  assert.equal(frames.length, 1);
  frames.pop()?.();
  assert.deepEqual(heard, ["connecting", "live"]);
  store.dispatch({ type: "resync" });
  frames.pop()?.();
  assert.equal(heard.length, 2);
  lifetime.abort();
  store.dispatch({ type: "connection", connection: "lost" });
  frames.pop()?.();
  assert.equal(heard.length, 2);
});

test("every kind of event becomes its action; an unknown one is passed over", () => {
  const run = aRun();
  assert.deepEqual(actionOf("run", run), { type: "runs", runs: [run] });
  assert.deepEqual(actionOf("gap", {}), { type: "resync" });
  assert.deepEqual(actionOf("run_deleted", { id: 4, rev: 2 }), { type: "run_deleted", id: 4, rev: 2 });
  assert.equal(actionOf("attempt", {}), null);
});
