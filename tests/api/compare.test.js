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
  assert.match(json.gate_reason, /fewer than 8/);
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
    [`base=${run.id}&against=2&max_slower=-5%25`, "?max_slower"], [`base=${run.id}&against=2&max_slower=nan`, "?max_slower"],
  ];
  for (const [query, pointer] of wrong) {
    const { status, json } = await client.get(`${compare}?${query}`);
    assert.equal(status, 422, query);
    assert.ok(json.errors.some((/** @type {any} */ one) => one.pointer === pointer), `${query}: ${JSON.stringify(json.errors)}`);
  }
  assert.equal((await client.get(`${compare}?base=${run.id}&against=99`)).status, 404);
});
