import assert from "node:assert/strict";
import { test } from "node:test";

import { long, small, startServer, takeRun, waitForRun } from "./support/server.js";

const runs = "/api/v1/runs";

test("a run is queued, taken, and keeps what was measured", async (t) => {
  const { client } = await startServer(t);
  const { status, json: queued, headers } = await client.post(runs, { ...small, name: "first", tags: ["a", "b"], note: "n", seed: 7, trials: 2 });
  assert.equal(status, 202);
  assert.equal(headers.location, `${runs}/${queued.id}`);
  assert.equal(queued.experiment.seed, 7);
  const run = await waitForRun(client, queued.id);
  assert.equal(run.state, "done", run.message);
  assert.deepEqual([run.trials_total, run.trials_done, run.trials_failed], [2, 2, 0]);
  assert.ok(run.created_ms <= run.started_ms && run.started_ms <= run.finished_ms);
  assert.equal(run.eta_ms, null);
  assert.equal(run.current, null);
  const { json: machine } = await client.get("/api/v1/machine");
  assert.deepEqual(run.machine, { comparable: machine.comparable, full: machine.full });
  assert.deepEqual([run.name, run.note, run.tags], ["first", "n", ["a", "b"]]);

  const { json: results } = await client.get(`${runs}/${run.id}/results`);
  assert.equal(results.run, run.id);
  assert.equal(results.cases.length, 1);
  assert.equal(results.cases[0].trials, 2);
  assert.ok(results.cases[0].latency_ns.p50.value > 0);
  assert.equal(results.cases[0].latency_ns.p50.low, null, "two trials make no interval");

  const { json: health } = await client.get("/healthz");
  assert.equal(health.run, null);
  assert.match((await client.get("/metrics")).text, /^ipclab_runs\{state="done"\} 1$/m);
});

test("HEAD answers like GET, without the body", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  for (const path of ["/", "/healthz", "/metrics", runs, `${runs}/${run.id}`, `${runs}/${run.id}/results`, `${runs}/${run.id}/trials`, "/api/v1/events", "/api/v1/mechanisms"]) {
    const { status, text, headers } = await client.request("HEAD", path);
    assert.equal(status, 200, path);
    assert.equal(text, "", path);
    assert.ok(headers["content-type"], path);
  }
  assert.equal((await client.request("HEAD", "/nowhere")).status, 404);
});

test("results of an ended run have an entity tag and are not sent twice", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const first = await client.get(`${runs}/${run.id}/results`);
  const again = await client.get(`${runs}/${run.id}/results`, { "If-None-Match": first.headers.etag });
  assert.equal(again.status, 304);
  assert.equal((await client.get(`${runs}/${run.id}/results`)).text, first.text);
});

test("trials come page by page, in order, each once; histograms and series when asked for", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client, { ...small, patterns: ["round_trip", "stream"], message_bytes: { round_trip: [64], stream: [4096] }, trials: 3 });
  const seen = [];
  let cursor = null;
  do {
    const { json } = await client.get(`${runs}/${run.id}/trials?limit=2${cursor ? `&cursor=${cursor}` : ""}`);
    assert.ok(json.trials.length <= 2);
    seen.push(...json.trials);
    cursor = json.next_cursor;
  } while (cursor);
  assert.equal(seen.length, 6);
  assert.deepEqual(seen.map((one) => one.sequence).sort(), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(seen.map((one) => one.id), seen.map((one) => one.id).sort((a, b) => a - b));
  assert.ok(seen.every((one) => !("histogram" in one) && !("series" in one)));

  const { json: full } = await client.get(`${runs}/${run.id}/trials?include=histogram,series`);
  const { json: results } = await client.get(`${runs}/${run.id}/results`);
  for (const trial of full.trials) {
    assert.ok(trial.series.begin_ns.length > 0);
    const { pattern } = results.cases[trial.case];
    assert.equal(trial.histogram === null, pattern === "stream");
    if (trial.histogram === null) continue;
    const { buckets, count } = trial.histogram;
    assert.equal(buckets.reduce((/** @type {number} */ sum, /** @type {number[]} */ one) => sum + one[2], 0), count);
    for (let i = 0; i < buckets.length; i++) {
      assert.ok(buckets[i][0] < buckets[i][1] && buckets[i][2] > 0);
      if (i > 0) assert.ok(buckets[i - 1][1] <= buckets[i][0]);
    }
  }
});

test("a repeated request with one key makes one run; with another body it is refused", async (t) => {
  const server = await startServer(t);
  const { client } = server;
  const key = { "Idempotency-Key": "0123-abc" };
  const first = await client.post(runs, { ...small, name: "once" }, key);
  const second = await client.post(runs, { ...small, name: "once" }, key);
  assert.deepEqual([second.status, second.json.id], [202, first.json.id]);
  assert.equal(second.headers.location, first.headers.location);
  const other = await client.post(runs, { ...small, name: "another" }, key);
  assert.equal(other.status, 422);
  const free = await client.post(runs, { ...small, name: "once" }, { "Idempotency-Key": "another" });
  assert.notEqual(free.json.id, first.json.id);
  const { json: list } = await client.get(runs);
  assert.equal(list.runs.length, 2);
  for (const bad of ["", "a b", "é", "x".repeat(256)]) {
    assert.equal((await client.post(runs, small, { "Idempotency-Key": Buffer.from(bad).toString("latin1") })).status, 400, bad);
  }
  assert.equal((await client.post(runs, small, { "Idempotency-Key": "x".repeat(255) })).status, 202);
  for (const run of (await client.get(runs)).json.runs) await waitForRun(client, run.id);
});

test("the list: filters, order, pages that meet, and the address of the next one", async (t) => {
  const { client } = await startServer(t);
  /** @type {any[]} */
  const made = [];
  for (let i = 0; i < 7; i++) {
    const mechanisms = i % 2 === 0 ? ["pipe"] : ["unix_stream"];
    made.push(await takeRun(client, { ...small, mechanisms, name: `run ${String.fromCharCode(103 - i)}`, tags: [i < 3 ? "early" : "late", "50%"], note: i === 4 ? "Größe_1" : "" }));
  }
  const ids = made.map((run) => run.id);
  const listed = async (/** @type {string} */ query) => (await client.get(`${runs}?${query}`)).json.runs.map((/** @type {any} */ run) => run.id);

  assert.deepEqual(await listed(""), [...ids].reverse());
  assert.deepEqual(await listed("sort=id"), ids);
  assert.deepEqual(await listed("sort=name"), [...ids].reverse());
  assert.deepEqual(await listed("mechanism=unix_stream&sort=id"), [ids[1], ids[3], ids[5]]);
  assert.deepEqual(await listed("tag=early&sort=id"), ids.slice(0, 3));
  assert.deepEqual(await listed("tag=early&mechanism=pipe&sort=id"), [ids[0], ids[2]]);
  assert.deepEqual(await listed("tag=50%25&limit=1"), [ids[6]]);
  assert.deepEqual(await listed("tag=none"), []);
  assert.deepEqual(await listed(`q=${encodeURIComponent("Größe_1")}`), [ids[4]]);
  assert.deepEqual(await listed("q=%25e_1"), [], "% and _ stand for themselves");
  assert.deepEqual(await listed("q=run+c"), [ids[4]]);
  assert.deepEqual(await listed("state=done&limit=2"), [ids[6], ids[5]]);
  assert.deepEqual(await listed("state=failed"), []);
  assert.deepEqual(await listed(`machine=${made[0].machine.comparable}&limit=1`), [ids[6]]);
  assert.deepEqual(await listed(`machine=${"0".repeat(32)}`), []);
  assert.deepEqual(await listed(`since=${made[5].created_ms}&sort=id`), [ids[5], ids[6]]);
  assert.deepEqual(await listed(`until=${made[2].created_ms}&sort=id`), ids.slice(0, 2));

  for (const sort of ["-id", "id", "name"]) {
    const seen = [];
    /** @type {string|null} */
    let target = `${runs}?limit=3&sort=${sort}&q=run+`;
    while (target) {
      const { json, headers } = /** @type {any} */ (await client.get(target));
      seen.push(...json.runs.map((/** @type {any} */ run) => run.id));
      const link = /^<([^>]+)>; rel="next"$/.exec(headers.link ?? "");
      assert.equal(Boolean(link), json.next_cursor !== null);
      target = link ? link[1] : null;
      if (target) assert.match(target, /limit=3.*q=run%20/);
    }
    assert.deepEqual([...seen].sort((a, b) => a - b), ids, sort);
  }
});

test("unknown or impossible parameters are named, with what is known", async (t) => {
  const { client } = await startServer(t);
  const faults = async (/** @type {string} */ query) => {
    const { status, json } = await client.get(`${runs}?${query}`);
    assert.equal(status, 422, query);
    return json.errors;
  };
  assert.deepEqual(await faults("stat=done"), [{ pointer: "?stat", detail: 'unknown parameter, did you mean "state"?' }]);
  assert.match((await faults("state=dnoe"))[0].detail, /did you mean "done"/);
  assert.match((await faults("mechanism=pip"))[0].detail, /did you mean "pipe"/);
  assert.match((await faults("limit=201"))[0].detail, /1 to 200/);
  assert.deepEqual((await faults("limit=0&sort=x&since=-1&cursor=")).map((/** @type {any} */ one) => one.pointer), ["?limit", "?sort", "?since", "?cursor"]);
  assert.equal((await faults("limit=1&limit=2"))[0].detail, "given more than once");
  assert.equal((await faults("cursor=nonsense"))[0].pointer, "?cursor");
  assert.equal((await faults(`q=${"x".repeat(201)}`))[0].pointer, "?q");
  assert.match((await faults("machine=mine"))[0].detail, /^must be the 32 hexadecimal digits of a hash, in lower case, got "mine"$/);
  const { status, json } = await client.get(`${runs}/1/trials?include=histograms`);
  assert.equal(status, 422);
  assert.equal(json.errors[0].pointer, "?include");
  for (const broken of ["q=%", "q=%00", "q=%ff", "%zz=1"]) assert.equal((await client.get(`${runs}?${broken}`)).status, 400, broken);
});

test("a running run can be read, edited and cancelled; its trials are kept", async (t) => {
  const { client } = await startServer(t);
  const { json: queued } = await client.post(runs, long);
  const run = await waitForRun(client, queued.id, (one) => one.trials_done >= 2);
  assert.equal(run.state, "running");
  assert.equal((await client.get("/healthz")).json.run, run.id);
  const before = await client.get(`${runs}/${run.id}`);
  assert.ok(before.json.eta_ms > 0);

  // Its tag goes on changing with its trials; what If-Match means does not.
  await waitForRun(client, run.id, (one) => one.trials_done > before.json.trials_done);
  const edited = await client.patch(`${runs}/${run.id}`, { note: "edited" }, { "If-Match": before.headers.etag });
  assert.deepEqual([edited.status, edited.json?.note], [200, "edited"]);
  assert.notEqual((await client.get(`${runs}/${run.id}`)).headers.etag, before.headers.etag);

  const results = await client.get(`${runs}/${run.id}/results`);
  assert.ok(results.json.cases[0].trials >= 2);
  assert.equal((await client.delete(`${runs}/${run.id}`)).status, 409);
  assert.equal((await client.post(`${runs}/${run.id}/cancel`)).status, 202);
  const cancelled = await waitForRun(client, run.id);
  assert.equal(cancelled.state, "cancelled");
  assert.ok(cancelled.trials_done >= 2 && cancelled.trials_done < cancelled.trials_total);
  const again = await client.post(`${runs}/${run.id}/cancel`);
  assert.equal(again.status, 409);
  assert.match(again.json.detail, /cancelled/);
});

test("a queued run can be cancelled, not deleted; the queue has an end", async (t) => {
  const { client } = await startServer(t);
  const first = (await client.post(runs, long)).json.id;
  await waitForRun(client, first, (run) => run.state === "running");
  const second = (await client.post(runs, long)).json.id;
  assert.equal((await client.delete(`${runs}/${second}`)).status, 409);
  assert.equal((await client.post(`${runs}/${second}/cancel`)).json.state, "cancelled");
  let status = 202;
  let count = 0;
  while (status === 202) {
    const answer = await client.post(runs, long);
    status = answer.status;
    count++;
    if (status === 429) assert.ok(Number(answer.headers["retry-after"]) > 0);
  }
  assert.equal(status, 429);
  assert.ok(count > 50 && count < 200, String(count));
  assert.equal((await client.get("/healthz")).json.queue, count - 1);
});

test("what there is not is 404, also with every other method", async (t) => {
  const { client } = await startServer(t);
  for (const path of ["", "/results", "/trials"]) assert.equal((await client.get(`${runs}/999${path}`)).status, 404, path);
  assert.equal((await client.patch(`${runs}/999`, {}, { "If-Match": "*" })).status, 404);
  assert.equal((await client.delete(`${runs}/999`)).status, 404);
  assert.equal((await client.post(`${runs}/999/cancel`)).status, 404);
  assert.equal((await client.post(`${runs}/999/restore`)).status, 404);
  for (const path of ["/api/v1", "/api/v1/", "/api/v1/runs/", "/api/v1/runs/x", "/api/v1/runs/0", "/api/v1/runs/1/x", "/api/v2/runs"]) {
    assert.equal((await client.get(path)).status, 404, path);
  }
});

test("what a path does not take is 405 and says what it takes", async (t) => {
  const { client } = await startServer(t);
  const expected = /** @type {const} */ ([
    ["PUT", runs, "GET, HEAD, POST"],
    ["DELETE", runs, "GET, HEAD, POST"],
    ["POST", `${runs}/1`, "GET, HEAD, PATCH, DELETE"],
    ["GET", `${runs}/1/cancel`, "POST"],
    ["POST", "/", "GET, HEAD"],
    ["DELETE", "/js/main.js", "GET, HEAD"],
    ["OPTIONS", "/healthz", "GET, HEAD"],
    ["TRACE", "/healthz", "GET, HEAD"],
    ["PROPFIND", "/api/v1/machine", "GET, HEAD"],
  ]);
  for (const [method, path, allow] of expected) {
    const { status, headers } = await client.request(method, path);
    assert.deepEqual([status, headers.allow], [405, allow], `${method} ${path}`);
  }
});
