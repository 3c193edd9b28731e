import assert from "node:assert/strict";
import { test } from "node:test";

import { small, startServer, takeRun, waitForRun } from "./support/server.js";

const runs = "/api/v1/runs";

test("a run's events come in order: state, trial, its case, the run again", async (t) => {
  const { client } = await startServer(t);
  const stream = await client.stream("run:*");
  const { json: queued } = await client.post(runs, { ...small, trials: 3, duration_ms: 300 });
  const seen = [];
  for (;;) {
    const event = await stream.next();
    seen.push(event);
    if (event.event === "run" && event.data.state === "done") break;
  }
  stream.close();
  const names = seen.map((event) => event.event);
  assert.deepEqual(seen.slice(0, 2).map((event) => [event.event, event.data.state]), [["run", "queued"], ["run", "running"]]);
  assert.equal(names.filter((name) => name === "trial").length, 3);
  for (let i = 0; i < seen.length; i++) {
    if (i > 0) assert.ok(Number(seen[i].id) > Number(seen[i - 1].id), "ids count up");
    if (names[i] !== "trial") continue;
    assert.equal(names[i + 1], "case");
    assert.equal(seen[i + 1].data.case.number, seen[i].data.trial.case);
  }
  const done = seen.filter((event) => event.event === "run").map((event) => event.data.trials_done);
  assert.deepEqual(done, [...done].sort((a, b) => a - b));
  const samples = seen.filter((event) => event.event === "sample");
  assert.ok(samples.length > 0, "a trial of 300 ms is heard of while it goes on");
  assert.ok(samples.every((event) => event.data.run === queued.id));
  assert.ok(samples.every((event) => "latency_p50_ns" in event.data), "named as in the trial's series");
  // What was told is what is archived.
  const { json: archived } = await client.get(`${runs}/${queued.id}/trials`);
  assert.deepEqual(seen.filter((event) => event.event === "trial").map((event) => event.data.trial), archived.trials);
});

test("topics choose what comes", async (t) => {
  const { client } = await startServer(t);
  const first = await takeRun(client);
  const one = await client.stream(`run:${first.id}`);
  const all = await client.stream("runs");
  const second = await takeRun(client);
  await client.patch(`${runs}/${first.id}`, { note: "x" }, { "If-Match": "*" });
  const event = await one.next();
  assert.deepEqual([event.event, event.data.id, event.data.note], ["run", first.id, "x"], "nothing of the other run");
  const seen = [await all.next((other) => other.data.id === second.id), await all.next((other) => other.data.id === first.id)];
  assert.ok(seen.every((other) => other.event === "run"), "no trials without their topic");
  one.close();
  all.close();
  for (const topics of ["", "run", "run:0", "run:x", "runs,,run:1", "labs", "attempt:x", Array(40).fill("run:1").join(",")]) {
    const { status, json } = await client.get(`/api/v1/events?topics=${topics}`);
    assert.deepEqual([status, json.errors[0].pointer], [422, "?topics"], topics);
  }
});

test("a client that comes back gets what it missed, by field or by query", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const edit = (/** @type {string} */ note) => client.patch(`${runs}/${run.id}`, { note }, { "If-Match": "*" });
  const first = await client.stream("runs");
  await edit("seen");
  const { id } = await first.next();
  first.close();
  await edit("missed 1");
  await edit("missed 2");
  for (const stream of [await client.stream("runs", { "Last-Event-ID": id }), await client.stream("runs", {}, `&last_event_id=${id}`)]) {
    assert.equal((await stream.next()).data.note, "missed 1");
    assert.equal((await stream.next()).data.note, "missed 2");
    stream.close();
  }
});

test("what a request changes is told at once, not with the next timer", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const stream = await client.stream("runs");
  const after_ms = [];
  for (let i = 0; i < 10; i++) {
    const begin = Date.now();
    await client.patch(`${runs}/${run.id}`, { note: `${i}` }, { "If-Match": "*" });
    assert.equal((await stream.next()).data.note, `${i}`);
    after_ms.push(Date.now() - begin);
  }
  stream.close();
  assert.ok(Math.min(...after_ms) < 1000, `after ${after_ms} ms: a busy machine makes some of them late, a timer all`);
});

test("a stream that saw no event yet has an id to come back with", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const first = await client.stream("runs");
  while (!first.last_id) await new Promise((settle) => first.incoming.once("data", settle));
  first.close();
  await client.patch(`${runs}/${run.id}`, { note: "between" }, { "If-Match": "*" });
  const second = await client.stream("runs", { "Last-Event-ID": first.last_id });
  assert.equal((await second.next()).data.note, "between");
  second.close();
});

test("after a restart, or with an id that never was, there is a gap; then all goes on", async (t) => {
  const first = await startServer(t);
  const run = await takeRun(first.client);
  const stream = await first.client.stream("runs");
  await first.client.patch(`${runs}/${run.id}`, { note: "x" }, { "If-Match": "*" });
  const { id } = await stream.next();
  await first.stop();
  await stream.end();
  const second = await startServer(t, { data: first.data });
  for (const last of [id, "1", "nonsense", "99999999999999999999"]) {
    const again = await second.client.stream("runs", { "Last-Event-ID": last });
    const gap = await again.next();
    assert.deepEqual([gap.event, gap.data], ["gap", {}], last);
    await second.client.patch(`${runs}/${run.id}`, { note: last }, { "If-Match": "*" });
    assert.equal((await again.next()).data.note, last);
    again.close();
  }
});

/**
 * Sockets close one by one; each answer here is a chance for the loop to have seen some.
 * @param {import("./support/client.js").Client} client @param {number} count
 */
async function waitForStreams(client, count) {
  const deadline = Date.now() + 60000;
  let left = NaN;
  while (left !== count && Date.now() < deadline) left = Number(/^ipclab_event_streams (\d+)$/m.exec((await client.get("/metrics")).text)?.[1]);
  assert.equal(left, count);
}

test("two hundred clients see the same, and their leaving is noticed", async (t) => {
  const { client } = await startServer(t);
  const streams = await Promise.all(Array.from({ length: 200 }, () => client.stream("runs,run:*")));
  const { json: queued } = await client.post(runs, { ...small, trials: 3, duration_ms: 100 });
  await Promise.all(streams.map((stream) => stream.next((event) => event.event === "run" && event.data.id === queued.id && event.data.state === "done")));
  assert.match((await client.get("/metrics")).text, /^ipclab_event_streams 200$/m);
  const watcher = await client.stream("runs");
  for (const stream of streams) stream.close();
  await waitForStreams(client, 1);
  watcher.close();
});

test("too many streams are refused with a time to come back, and make room again", async (t) => {
  const { client } = await startServer(t);
  const streams = [];
  while (streams.length < 500) streams.push(...(await Promise.all(Array.from({ length: 50 }, () => client.stream("runs")))));
  const refused = await client.get("/api/v1/events");
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers["retry-after"]) > 0);
  assert.equal((await client.get("/healthz")).status, 200);
  streams.pop()?.close();
  await waitForStreams(client, 499);
  (await client.stream("runs")).close();
  for (const stream of streams) stream.close();
});

test("SIGTERM with 200 streams and a run in progress: at once, and the run goes on afterwards", async (t) => {
  const first = await startServer(t);
  const streams = await Promise.all(Array.from({ length: 200 }, () => first.client.stream("runs")));
  const { json: queued } = await first.client.post(runs, { ...small, trials: 2, duration_ms: 1500 });
  await waitForRun(first.client, queued.id, (run) => run.current !== null);
  const { status, signal } = await first.stop();
  assert.deepEqual([status, signal], [0, null]);
  await Promise.all(streams.map((stream) => stream.end()));
  const restarted_ms = Date.now();
  const second = await startServer(t, { data: first.data });
  const run = await waitForRun(second.client, queued.id);
  assert.deepEqual([run.state, run.trials_done], ["done", 2]);
  const { json } = await second.client.get(`${runs}/${run.id}/trials`);
  const taken = json.trials.filter((/** @type {any} */ one) => one.state === "done");
  assert.deepEqual(taken.map((/** @type {any} */ one) => one.sequence), [0, 1]);
  assert.ok(taken.every((/** @type {any} */ one) => one.started_ms >= restarted_ms), "a trial was waited for");
});
