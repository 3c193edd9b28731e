import assert from "node:assert/strict";
import { test } from "node:test";

import { small, startServer, takeRun } from "./support/server.js";

const compare = "/api/v1/compare";
const measured = { ...small, mechanisms: ["pipe", "fifo"], patterns: ["round_trip", "stream"], message_bytes: { round_trip: [64], stream: [4096] }, placement: "same_cpu" };

test("two runs are compared case by case, in the direction each statistic has", async (t) => {
  const { client } = await startServer(t);
  const base = await takeRun(client, { ...measured, trials: 6 });
  const other = await takeRun(client, { ...measured, mechanisms: ["pipe"], trials: 6 });
  const { status, json } = await client.get(`${compare}?base=${base.id}&against=${other.id}`);
  assert.equal(status, 200);
  assert.equal(json.verdicts.length, 2, "the FIFO is in one of them only");
  assert.deepEqual(json.verdicts.map((/** @type {any} */ one) => one.statistic).sort(), ["bytes_per_s", "p50"]);
  for (const one of json.verdicts) {
    assert.equal(one.mechanism, "pipe");
    assert.equal(one.distance, "same");
    assert.deepEqual(one.n, [6, 6]);
    assert.ok(one.low <= one.ratio && one.ratio <= one.high, JSON.stringify(one));
    assert.ok(one.p_adjusted >= one.p);
  }
  assert.equal(json.comparable, true);
  assert.deepEqual(json.machine_differences, []);
  assert.equal(json.gate, null);
  assert.equal(json.noise_floor, null, "one pair is too few, and it is what is compared");
  assert.equal(json.margin, 0.02);
  assert.deepEqual(json.omnibus, []);
});

test("of three runs each case is asked first whether they differ at all", async (t) => {
  const { client } = await startServer(t);
  const runs = [];
  for (let i = 0; i < 3; i++) runs.push(await takeRun(client, { ...small, placement: "same_cpu", trials: 4 }));
  const { json, headers } = await client.get(`${compare}?base=${runs[0].id}&against=${runs[1].id},${runs[2].id}`);
  assert.equal(json.verdicts.length, 2);
  assert.equal(json.omnibus.length, 1);
  assert.equal(json.omnibus[0].runs, 3);
  assert.ok(json.omnibus[0].p > 0 && json.omnibus[0].p <= 1);
  const again = await client.get(`${compare}?base=${runs[0].id}&against=${runs[1].id},${runs[2].id}`, { "If-None-Match": headers.etag });
  assert.equal(again.status, 304);
});

test("runs that verify messages otherwise are shown side by side and not judged", async (t) => {
  const { client } = await startServer(t);
  const base = await takeRun(client, { ...small, placement: "same_cpu", trials: 6, verify: "none" });
  const other = await takeRun(client, { ...small, placement: "same_cpu", trials: 6, verify: "full" });
  const { json } = await client.get(`${compare}?base=${base.id}&against=${other.id}&max_slower=5%25`);
  assert.deepEqual(json.experiment_differences, [{ against: other.id, field: "verify", base_value: "none", against_value: "full" }]);
  assert.equal(json.verdicts[0].verdict, "not_comparable");
  assert.equal(json.verdicts[0].reason, "verify");
  assert.ok(json.verdicts[0].ratio > 0);
  assert.equal(json.gate, "not_comparable");
});

test("a run held against another size is told apart: nothing was measured in both", async (t) => {
  const { client } = await startServer(t);
  const base = await takeRun(client, small);
  const other = await takeRun(client, { ...small, message_bytes: [65] });
  const { json } = await client.get(`${compare}?base=${base.id}&against=${other.id}&max_slower=5%25`);
  assert.equal(json.gate, "nothing_measured");
});

test("a gate refuses to decide on few trials", async (t) => {
  const { client } = await startServer(t);
  const base = await takeRun(client, { ...small, placement: "same_cpu", trials: 2 });
  const other = await takeRun(client, { ...small, placement: "same_cpu", trials: 2 });
  const { json } = await client.get(`${compare}?base=${base.id}&against=${other.id}&max_slower=0.05`);
  assert.equal(json.gate, "inconclusive");
  assert.match(json.gate_reason, /2 and 2 trials .* wants 8 of each/);
  assert.equal(json.trials_needed, 8);
  assert.equal(json.correction, "holm");
});

test("a question that cannot be answered is refused by its parameter", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  /** @type {[string, string][]} */
  const wrong = [
    ["", "?base"], ["base=0&against=2", "?base"], [`base=${run.id}`, "?against"], [`base=${run.id}&against=${run.id}`, "?against"],
    [`base=${run.id}&against=2,2`, "?against"], [`base=${run.id}&against=2,`, "?against"], [`base=${run.id}&against=x`, "?against"],
    [`base=${run.id}&against=2,3,4,5,6,7,8,9,10`, "?against"], [`base=${run.id}&against=2&statistic=mean`, "?statistic"],
    [`base=${run.id}&against=2&max_slower=-5%25`, "?max_slower"], [`base=${run.id}&against=2&max_slower=nan`, "?max_slower"], [`base=${run.id}&against=2&max_slower=1001%25`, "?max_slower"], [`base=${run.id}&against=2&max_slower=0x1`, "?max_slower"],
  ];
  for (const [query, pointer] of wrong) {
    const { status, json } = await client.get(`${compare}?${query}`);
    assert.equal(status, 422, query);
    assert.ok(json.errors.some((/** @type {any} */ one) => one.pointer === pointer), `${query}: ${JSON.stringify(json.errors)}`);
  }
  assert.equal((await client.get(`${compare}?base=${run.id}&against=99`)).status, 404);
});
