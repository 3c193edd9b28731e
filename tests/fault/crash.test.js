/**
 * kill -9 at any moment: of the server, of a crew's leader, of a worker. The run goes on and ends with every trial
 * taken, and nothing stays behind. IPCLAB_KILLS says how often (default 4 of each).
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { startServer, waitForRun } from "../api/support/server.js";
import { childrenOf } from "../labs/support.js";
import { residue, workerProcesses } from "./support.js";

const kills = Number(process.env.IPCLAB_KILLS ?? 4);
/** A dozen cases: six slots for a kill, which takes two or three, and more where it comes between two trials. */
const everything = { preset: "quick", trials: Math.ceil(kills / 2), duration_ms: 30, warmup_ms: 5 };

/**
 * A moment inside a trial: its start is told by an event, the rest is left to chance by a few quick requests.
 * @param {import("../api/support/client.js").Client} client @param {import("../api/support/client.js").EventStream} stream
 */
async function someMoment(client, stream) {
  await stream.next((event) => event.event === "run" && event.data.current !== null);
  for (let left = Math.floor(Math.random() * 40); left > 0; left--) await client.get("/healthz");
}

/** Whether it was still there. @param {number} pid */
function kill(pid) {
  try {
    return process.kill(pid, "SIGKILL");
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ESRCH") return false;
    throw error;
  }
}

/** @param {import("../api/support/client.js").Client} client @param {any} run */
async function assertWhole(client, run) {
  assert.equal(run.state, "done", run.message);
  assert.deepEqual([run.trials_done, run.trials_failed], [run.trials_total, 0]);
  const { json } = await client.get(`/api/v1/runs/${run.id}/trials?limit=200`);
  const done = json.trials.filter((/** @type {any} */ trial) => trial.state === "done");
  const slots = done.map((/** @type {any} */ trial) => trial.sequence).sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
  assert.deepEqual(slots, Array.from({ length: run.trials_total }, (_, slot) => slot), "each slot of the plan is settled once");
  const { json: results } = await client.get(`/api/v1/runs/${run.id}/results`);
  for (const one of results.cases) assert.deepEqual(one.integrity, { lost: 0, torn: 0, duplicated: 0, reordered: 0 }, one.mechanism);
  return json.trials;
}

test("a killed server goes on with its run from the first missing trial", async (t) => {
  const before = await residue();
  const data = await mkdtemp(join(tmpdir(), "ipclab-crash-"));
  t.after(() => rm(data, { recursive: true, force: true }));
  let server = await startServer(t, { data });
  const { json: queued } = await server.client.post("/api/v1/runs", everything);
  for (let i = 0; i < kills; i++) {
    const stream = await server.client.stream(`run:${queued.id}`);
    await someMoment(server.client, stream);
    stream.close();
    await server.crash();
    server = await startServer(t, { data });
  }
  await assertWhole(server.client, await waitForRun(server.client, queued.id));
  assert.deepEqual((await server.stop()).status, 0);
  assert.deepEqual(await workerProcesses(), []);
  assert.deepEqual((await residue()).filter((one) => !before.includes(one)), []);
});

for (const victim of ["leader", "worker"])
  test(`a killed ${victim} costs one trial, which is archived with its cause and taken again`, async (t) => {
    const before = await residue();
    const server = await startServer(t);
    const { json: queued } = await server.client.post("/api/v1/runs", everything);
    const stream = await server.client.stream(`run:${queued.id}`);
    let killed = 0;
    while (killed < kills) {
      await someMoment(server.client, stream);
      const { json: run } = await server.client.get(`/api/v1/runs/${queued.id}`);
      const [leader] = await childrenOf(server.child.pid);
      const workers = await childrenOf(leader);
      const pid = victim === "leader" ? leader : workers[Math.floor(Math.random() * workers.length)];
      if (pid === undefined || run.current === null) continue; /* between two trials */
      if (!kill(pid)) continue; /* its trial ended at that very moment */
      killed++;
      /* A slot whose second attempt fails stays failed, as it should: let this one, or the next if that was the one
         that was hit, be taken again first. Events that were under way before the kill tell nothing about it. */
      const settled = run.current.sequence + 1;
      await stream.next((event) => event.event === "trial" && event.data.trial.state === "done" && event.data.trial.sequence >= settled);
    }
    stream.close();
    const trials = await assertWhole(server.client, await waitForRun(server.client, queued.id));
    const failed = trials.filter((/** @type {any} */ trial) => trial.state === "failed");
    assert.ok(failed.length >= 1 && failed.length <= kills, `${failed.length} of ${kills} kills hit a trial`);
    for (const trial of failed) assert.match(trial.cause, /killed by signal 9/, JSON.stringify(trial));
    assert.deepEqual((await server.stop()).status, 0);
    assert.deepEqual(await workerProcesses(), []);
    assert.deepEqual((await residue()).filter((one) => !before.includes(one)), []);
  });
