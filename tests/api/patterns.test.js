/**
 * Streams of several workers, round trips at a rate, and what is told beside the figures.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { small, startServer, takeRun } from "./support/server.js";

const runs = "/api/v1/runs";

/** @param {any} client @param {object} experiment */
async function casesOf(client, experiment) {
  const run = await takeRun(client, experiment);
  assert.equal(run.state, "done", run.message);
  assert.equal(run.trials_failed, 0);
  const { json } = await client.get(`${runs}/${run.id}/results`);
  const { json: trials } = await client.get(`${runs}/${run.id}/trials`);
  return { run, cases: json.cases, trials: trials.trials };
}

test("several senders and receivers share a stream, and nothing is lost", async (t) => {
  const { client } = await startServer(t);
  for (const [senders, receivers] of [[3, 1], [1, 3], [2, 2]]) {
    const { cases, trials } = await casesOf(client, { ...small, patterns: ["stream"], senders, receivers, duration_ms: 50, warmup_ms: 10 });
    assert.deepEqual([cases[0].senders, cases[0].receivers], [senders, receivers]);
    assert.deepEqual(cases[0].integrity, { lost: 0, torn: 0, duplicated: 0, reordered: 0 });
    assert.equal(cases[0].latency_ns, null);
    assert.ok(cases[0].messages_per_s.value > 0);
    assert.ok(trials[0].messages > 0);
    assert.equal(trials[0].cause, null);
  }
});

test("a rate is held or said not to be, a case for each", async (t) => {
  const { client } = await startServer(t);
  const { run, cases, trials } = await casesOf(client, { ...small, patterns: ["paced"], rate_hz: [500, 10000000], duration_ms: 100 });
  assert.deepEqual(run.experiment.rate_hz, [500, 10000000]);
  assert.deepEqual(cases.map((/** @type {any} */ one) => one.rate_hz), [500, 10000000]);
  const [slow, fast] = cases;
  assert.ok(slow.achieved_hz.value <= 505, String(slow.achieved_hz.value));
  assert.ok(fast.achieved_hz.value < 9.8e6);
  assert.ok(fast.flags.includes("rate_not_held"), String(fast.flags));
  assert.ok(fast.latency_ns.p50.value > trials[0].duration_ns / 10, "what waits behind late answers counts");
  assert.equal(slow.overhead_share, null);
  for (const trial of trials) assert.ok(trial.achieved_hz > 0);
});

test("a paced run of one rate keeps it as a number", async (t) => {
  const { client } = await startServer(t);
  const { run, cases } = await casesOf(client, { ...small, patterns: ["paced", "round_trip"], rate_hz: 1000 });
  assert.equal(run.experiment.rate_hz, 1000);
  assert.deepEqual(cases.map((/** @type {any} */ one) => [one.pattern, one.rate_hz]), [["paced", 1000], ["round_trip", null]]);
});

test("what cannot be measured is refused with what to change", async (t) => {
  const { client } = await startServer(t);
  /** @type {[object, string][]} */
  const refused = [
    [{ ...small, senders: 2 }, "/senders"],
    [{ ...small, receivers: 9 }, "/receivers"],
    [{ ...small, patterns: ["stream"], receivers: 2, message_bytes: [15] }, "/message_bytes"],
    [{ ...small, wait: "poll", placement: "same_cpu" }, "/wait"],
    [{ ...small, wait: "poll", patterns: ["stream"], senders: 8, receivers: 8 }, "/wait"],
    [{ ...small, patterns: ["paced"] }, "/rate_hz"],
    [{ ...small, patterns: ["paced"], rate_hz: [1000, 0] }, "/rate_hz/1"],
    [{ ...small, patterns: ["paced"], rate_hz: 100 }, "/duration_ms"],
    [{ ...small, rate_hz: 100 }, "/rate_hz"],
  ];
  for (const [experiment, pointer] of refused) {
    const { status, json } = await client.post(runs, experiment);
    assert.equal(status, 422, JSON.stringify(experiment));
    assert.deepEqual(json.errors.map((/** @type {any} */ one) => one.pointer), [pointer], JSON.stringify(experiment));
  }
});

test("what measuring costs is known and kept with a run", async (t) => {
  const { client } = await startServer(t);
  const { json: machine } = await client.get("/api/v1/machine");
  assert.ok(machine.overhead.clock_ns > 0 && machine.overhead.loop_ns > 0);
  const { run, cases, trials } = await casesOf(client, small);
  assert.deepEqual(run.overhead, machine.overhead);
  assert.ok(cases[0].overhead_share > 0 && cases[0].overhead_share < 0.5, String(cases[0].overhead_share));
  assert.deepEqual(cases[0].by_distance, []);
  assert.equal(cases[0].achieved_hz, null);
  assert.ok(trials[0].load >= 0 && trials[0].steal_ns >= 0);
});
