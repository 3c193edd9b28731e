import assert from "node:assert/strict";
import { test } from "node:test";

import { small, startServer, takeRun } from "./support/server.js";

const trends = "/api/v1/trends";
const measured = { ...small, placement: "same_cpu", trials: 6, seed: 1 };

test("an experiment that was taken again is offered, and its runs are a series", async (t) => {
  const { client } = await startServer(t);
  const runs = [];
  for (let i = 0; i < 3; i++) runs.push(await takeRun(client, { ...measured, name: `night ${i}`, seed: i }));
  await takeRun(client, { ...measured, message_bytes: [65] });

  const { json: offer, headers } = await client.get(trends);
  assert.equal(offer.experiments.length, 1, "the other one was taken once");
  const [one] = offer.experiments;
  assert.equal(one.runs, 3);
  assert.equal(one.last_run, runs[2].id);
  assert.equal(one.name, "night 2");
  assert.equal(one.experiment_hash, runs[0].experiment_hash);
  assert.equal((await client.get(trends, { "If-None-Match": headers.etag })).status, 304);

  const address = `${trends}?experiment=${one.experiment_hash}&machine=${one.machine.full}`;
  const { json: trend } = await client.get(address);
  assert.equal(trend.runs, 3);
  assert.equal(trend.series.length, 1);
  const [series] = trend.series;
  assert.equal(series.statistic, "p50");
  assert.equal(series.distance, "same");
  assert.deepEqual(series.points.map((/** @type {any} */ point) => point.run), runs.map((run) => run.id), "from the oldest");
  for (const point of series.points) {
    assert.equal(point.n, 6);
    assert.ok(point.low <= point.value && point.value <= point.high);
  }

  const { json: page } = await client.get(`${address}&limit=2&statistic=messages_per_s&mechanism=pipe&pattern=round_trip&message_bytes=64`);
  assert.deepEqual(page.series[0].points.map((/** @type {any} */ point) => point.run), [runs[1].id, runs[2].id]);
  const { json: older } = await client.get(`${address}&limit=2&cursor=${page.next_cursor}`);
  assert.deepEqual(older.series[0].points.map((/** @type {any} */ point) => point.run), [runs[0].id]);
  assert.equal(older.next_cursor, null);
  assert.deepEqual((await client.get(`${address}&mechanism=fifo`)).json.series, []);
});

test("a question that lacks its half, or asks for what there is not, is refused", async (t) => {
  const { client } = await startServer(t);
  /** @type {[string, string][]} */
  const wrong = [
    ["experiment=a", "?machine"], ["machine=a", "?experiment"], ["experiment=&machine=a", "?experiment"], ["statistic=p50", "?statistic"],
    ["experiment=a&machine=b&limit=1001", "?limit"], ["experiment=a&machine=b&statistic=mean", "?statistic"], ["limit=201", "?limit"], ["cursor=0", "?cursor"],
  ];
  for (const [query, pointer] of wrong) {
    const { status, json } = await client.get(`${trends}?${query}`);
    assert.equal(status, 422, query);
    assert.ok(json.errors.some((/** @type {any} */ one) => one.pointer === pointer), `${query}: ${JSON.stringify(json.errors)}`);
  }
  const [some, none] = ["a".repeat(32), "0".repeat(32)];
  for (const query of [`experiment=${some}&machine=${none.slice(1)}`, `experiment=A${some.slice(1)}&machine=${none}`, `experiment=${some}0&machine=${none}`]) {
    const { status, json } = await client.get(`${trends}?${query}`);
    assert.equal(status, 422, query);
    assert.match(json.errors[0].detail, /^must be the 32 hexadecimal digits/);
  }
  const { json } = await client.get(`${trends}?experiment=${some}&machine=${none}`);
  assert.deepEqual([json.runs, json.series], [0, []]);
});
