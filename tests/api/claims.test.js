/**
 * Claims over the API: the ledger, one check, all of them, and what other machines found. Whether the verdicts are
 * right is the ledger's own test.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { URL } from "node:url";

import { askBesideTrial, postAttempt, quick, waitForAttempt, waitForCheck } from "./support/labs.js";
import { small, startServer, waitForRun } from "./support/server.js";

const claims = "/api/v1/claims";
const messages = JSON.parse(await readFile(new URL("../../web/messages/en.json", import.meta.url), "utf8"));
const verdicts = ["holds", "conditional", "does_not_hold", "inconclusive", "skipped"];

test("the ledger says what is claimed, what is done, and which labs show it", async (t) => {
  const { client } = await startServer(t);
  const { json } = await client.get(claims);
  const { json: shown } = await client.get("/api/v1/labs");
  const labs = shown.labs.map((/** @type {any} */ one) => one.name);
  const numbers = json.claims.map((/** @type {any} */ one) => one.number);
  assert.ok(numbers.length > 0);
  assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
  for (const claim of json.claims) {
    assert.ok(claim.source.length > 0, String(claim.number));
    for (const lab of claim.labs) assert.ok(labs.includes(lab), `${claim.number} ${lab}`);
    assert.equal(claim.latest, null);
  }
  const gauge = json.claims.find((/** @type {any} */ one) => one.number === 38);
  assert.ok(gauge.labs.includes("pipe_gauge"));
  assert.deepEqual((await client.get(`${claims}/38`)).json, gauge);
  for (const path of ["/9999", "/9999/checks"]) assert.equal((await client.get(claims + path)).status, 404, path);
  assert.equal((await client.post(`${claims}/9999/checks`)).status, 404);
  assert.equal((await client.get("/api/v1/checks/1")).status, 404);
});

test("a check goes from queued to a verdict with its evidence, and is the claim's latest from then on", async (t) => {
  const { client } = await startServer(t);
  const stream = await client.stream("checks");
  const { status, json: queued, headers } = await client.post(`${claims}/38/checks`);
  assert.deepEqual([status, queued.state, queued.verdict, headers.location], [202, "queued", null, `/api/v1/checks/${queued.id}`]);
  /** @type {any[]} */
  const seen = [];
  while (seen.at(-1)?.state !== "done") seen.push((await stream.next((event) => event.event === "check")).data);
  stream.close();
  assert.deepEqual(seen.map((one) => one.state), ["queued", "running", "done"]);
  const { json: check } = await client.get(`/api/v1/checks/${queued.id}`);
  assert.deepEqual(check, seen.at(-1));
  assert.deepEqual([check.claim, check.verdict, check.evidence.filled_by_4097_bytes], [38, "conditional", 45066]);
  assert.match(check.kernel, /Linux/);
  assert.deepEqual((await client.get(`${claims}/38`)).json.latest, check);
  assert.deepEqual((await client.get(claims)).json.claims.find((/** @type {any} */ one) => one.number === 38).latest, check);
  assert.equal((await client.post(`/api/v1/checks/${check.id}/cancel`)).status, 409);

  const { json: again } = await client.post(`${claims}/38/checks`);
  await waitForCheck(client, again.id);
  const { json: history } = await client.get(`${claims}/38/checks?limit=1`);
  assert.deepEqual([history.checks.length, history.checks[0].id], [1, again.id]);
  const { json: older } = await client.get(`${claims}/38/checks?cursor=${history.next_cursor}`);
  assert.deepEqual([older.checks.map((/** @type {any} */ one) => one.id), older.next_cursor], [[check.id], null]);
});

test("all claims are checked one after the other, each to an end, and set beside other machines", async (t) => {
  const { client } = await startServer(t);
  const { json: asked, status } = await client.post(`${claims}/checks`);
  assert.equal(status, 202);
  const { json: ledger } = await client.get(claims);
  assert.deepEqual(asked.checks.map((/** @type {any} */ one) => one.claim), ledger.claims.map((/** @type {any} */ one) => one.number));
  const { json: once_more } = await client.post(`${claims}/checks`);
  const last = asked.checks.at(-1);
  assert.equal(once_more.checks.at(-1).id, last.id, "what is queued is not queued twice");
  const newest = Math.max(...once_more.checks.map((/** @type {any} */ one) => one.id));
  const { json: meanwhile } = await client.get(`${claims}/checks`);
  const either = new Set([...meanwhile.checks, ...meanwhile.pending].map((/** @type {any} */ one) => one.claim));
  assert.equal(either.size, ledger.claims.length, "a claim asked for is decided, or is said to be on its way");
  assert.ok(meanwhile.pending.every((/** @type {any} */ one) => ["queued", "running"].includes(one.state)));
  await waitForCheck(client, last.id);
  await waitForCheck(client, newest);

  const { json: latest } = await client.get(`${claims}/checks`);
  const { json: machine } = await client.get("/api/v1/machine");
  assert.equal(latest.machine, machine.full);
  assert.equal(latest.checks.length, ledger.claims.length);
  assert.deepEqual(latest.pending, []);
  for (const check of latest.checks) {
    assert.equal(check.state, "done", `${check.claim}: ${check.message}`);
    assert.ok(verdicts.includes(check.verdict));
    for (const field of Object.keys(check.evidence)) assert.ok(messages.evidence[field], `claim ${check.claim} names ${field}`);
  }
  const spans = latest.checks.map((/** @type {any} */ one) => [one.started_ms, one.finished_ms]).sort((/** @type {any} */ a, /** @type {any} */ b) => a[0] - b[0]);
  for (let i = 1; i < spans.length; i++) assert.ok(spans[i][0] >= spans[i - 1][1], "one at a time");
  assert.deepEqual(latest.machines.map((/** @type {any} */ one) => [one.full, one.claims]), [[machine.full, ledger.claims.length]]);

  const nowhere = "0".repeat(32);
  const { json: other } = await client.get(`${claims}/checks?machine=${nowhere}`);
  assert.deepEqual([other.machine, other.checks, other.machines], [nowhere, [], latest.machines]);
  const { json: blank } = await client.get(`${claims}?machine=${nowhere}`);
  assert.ok(blank.claims.every((/** @type {any} */ one) => one.latest === null));
  for (const query of ["machine=", "machine=x", `machine=${"0".repeat(31)}G`]) {
    const refused = await client.get(`${claims}/checks?${query}`);
    assert.deepEqual([refused.status, refused.json.errors[0].pointer], [422, "?machine"], query);
  }

  // Carried to a second server, as what another machine found: there is but this one, so it goes under another name.
  const { client: second } = await startServer(t);
  const elsewhere = "0123456789abcdef".repeat(2);
  const carried = { ...latest, machine: elsewhere, machines: [{ ...latest.machines[0], full: elsewhere }] };
  const count = ledger.claims.length;
  for (const [imported, known] of [[count, 0], [0, count]]) {
    const { status: taken, json: told } = await second.post(`${claims}/imports`, JSON.stringify(carried).padEnd(100000));
    assert.deepEqual([taken, told], [200, { machine: elsewhere, imported, known }]);
  }
  const { json: there } = await second.get(`${claims}/checks?machine=${elsewhere}`);
  const comparable = (/** @type {any} */ check) => ({ ...check, id: 0, machine: null });
  assert.deepEqual(there.checks.map(comparable), latest.checks.map(comparable), "texts, evidence and times are the same");
  assert.deepEqual(there.machines.map((/** @type {any} */ one) => [one.full, one.facts]), [[elsewhere, latest.machines[0].facts]]);
  const { json: own } = await second.get(claims);
  assert.ok(own.claims.every((/** @type {any} */ one) => one.latest === null), "this machine has decided nothing yet");

  const check = latest.checks[0];
  /** @type {[any, string][]} */
  const wrong = [
    [{ ...carried, machine: "x" }, "/machine"], [{ ...carried, machine: nowhere }, "/machine"], [{ ...carried, checks: {} }, "/checks"],
    [{ ...carried, machines: [{ ...carried.machines[0], facts: 1 }] }, "/machines"],
    [{ ...carried, checks: [check, { ...check, verdict: "true" }] }, "/checks/1/verdict"],
    [{ ...carried, checks: [{ ...check, uid: "x" }] }, "/checks/0/uid"], [{ ...carried, checks: [{ ...check, claim: 0 }] }, "/checks/0/claim"],
  ];
  for (const [document, pointer] of wrong) {
    const { status: refused, json: problem } = await second.post(`${claims}/imports`, document);
    assert.deepEqual([refused, problem.errors[0].pointer], [422, pointer]);
  }
  assert.equal((await second.post(`${claims}/imports`, "{")).status, 400);
  assert.equal((await second.post(`${claims}/imports`, " ".repeat(1048577))).status, 413);
  assert.equal((await second.post(`${claims}/imports`, " ".repeat(1500000), { "Transfer-Encoding": "chunked" })).status, 413, "in chunks");
});

test("a check of a claim about speed has the machine to itself", async (t) => {
  const { client } = await startServer(t);
  assert.equal((await client.get(`${claims}/28`)).json.timed, true);
  const attempt = await postAttempt(client, "fifo_session", { parameters: { typing: "live" } });
  await waitForAttempt(client, attempt.id, (one) => one.state === "running");
  const { json: beside } = await client.post(`${claims}/38/checks`);
  assert.equal((await waitForCheck(client, beside.id)).state, "done", "another claim is checked beside a lab");

  const { json: check } = await client.post(`${claims}/28/checks`);
  assert.deepEqual([check.state, check.waiting_for], ["queued", "others"]);
  await client.post(`/api/v1/attempts/${attempt.id}/cancel`);
  const ended = await waitForAttempt(client, attempt.id);
  await waitForCheck(client, check.id, (one) => one.state !== "queued");
  const asked = [];
  for (let i = 0; i < 3; i++) asked.push(await postAttempt(client, "pipe_gauge", { parameters: quick }));
  const done = await waitForCheck(client, check.id);
  assert.equal(done.state, "done", done.message);
  assert.ok(done.started_ms >= ended.finished_ms, "not beside what went on");
  for (const { id } of asked) assert.ok((await waitForAttempt(client, id)).started_ms >= done.finished_ms, "nothing begins beside it");
});

test("a check waits for the trial that is being timed, the last one too, and can be stopped while it waits", async (t) => {
  const { client } = await startServer(t);
  const { run, asked: { check, stopped, patient } } = await askBesideTrial(client, 1, async () => {
    const { json: first } = await client.post(`${claims}/38/checks`);
    return { check: first, stopped: await client.post(`/api/v1/checks/${first.id}/cancel`), patient: (await client.post(`${claims}/39/checks`)).json };
  });
  assert.deepEqual([check.state, check.waiting_for], ["queued", `run ${run}`]);
  assert.deepEqual([stopped.status, stopped.json.state, stopped.json.waiting_for], [202, "cancelled", null]);
  const { json: cut_off } = await client.post("/api/v1/runs", { ...small, trials: 1, duration_ms: 10000 });
  const done = await waitForCheck(client, patient.id);
  assert.equal(done.state, "done");
  assert.equal((await client.get(`/api/v1/checks/${check.id}`)).json.started_ms, null);
  const first = await waitForRun(client, run);
  assert.equal(first.state, "done");
  const { json: taken } = await client.get(`/api/v1/runs/${first.id}/trials`);
  assert.ok(done.started_ms + 1 >= taken.trials[0].started_ms + taken.trials[0].duration_ns / 1e6, "not beside the trial");

  await waitForRun(client, cut_off.id, (one) => one.current !== null);
  const { json: freed } = await client.post(`${claims}/39/checks`);
  await client.post(`/api/v1/runs/${cut_off.id}/cancel`);
  assert.equal((await waitForCheck(client, freed.id)).state, "done", "a run that is cancelled gives the turn away");
});
