/**
 * Labs over the API: what may be asked, what is seen while it goes on, what is kept.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { URL } from "node:url";

import { askBesideTrial, postAttempt, quick, takeAttempt, waitForAttempt } from "./support/labs.js";
import { startServer, waitForRun } from "./support/server.js";

const labs = "/api/v1/labs";

test("every lab says in words what it asks, what may be set and predicted, and shows its program", async (t) => {
  const { client } = await startServer(t);
  const { json, headers } = await client.get(labs);
  assert.deepEqual([headers["content-language"], headers.vary], ["en", "Accept-Language"]);
  assert.ok(json.labs.length > 0);
  const { json: catalogue } = await client.get("/api/v1/mechanisms");
  const mechanisms = catalogue.mechanisms.map((/** @type {any} */ one) => one.name);
  for (const lab of json.labs) {
    // A text that nobody wrote shows its key.
    for (const key of ["title", "question", "teaches"]) assert.notEqual(lab[key], key, `${lab.name} ${key}`);
    for (const { name, title } of lab.parameters) assert.notEqual(title, name, `${lab.name} ${name}`);
    assert.notEqual(lab.prediction.title, "", lab.name);
    for (const name of lab.mechanisms) assert.ok(mechanisms.includes(name), `${lab.name} ${name}`);
    assert.deepEqual((await client.get(`${labs}/${lab.name}`)).json, lab);
    const source = await client.get(`${labs}/${lab.name}/source`);
    assert.equal(source.text, await readFile(new URL(`../../${lab.source}`, import.meta.url), "utf8"), lab.name);
    assert.equal((await client.get(`${labs}/${lab.name}/source`, { "If-None-Match": source.headers.etag })).status, 304);
  }
  const numbers = json.labs.map((/** @type {any} */ one) => one.number);
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
  for (const path of ["/nonsense", "/nonsense/source", "/table/source", "/nonsense/attempts", "/nonsense/predictions"]) {
    assert.equal((await client.get(`${labs}${path}`)).status, 404, path);
  }
});

test("an attempt goes from its prediction to its explanation, and is archived as it was seen", async (t) => {
  const data = await mkdtemp(join(tmpdir(), "ipclab-labs-"));
  t.after(() => rm(data, { recursive: true, force: true }));
  const first = await startServer(t, { data });
  const asked = { parameters: { chunk_bytes: 4097, ...quick }, prediction: { answer: 65536, reason: "64 KiB" }, student: "Ada", group: "b2" };
  const stream = await first.client.stream("attempts,attempt:*");
  const queued = await postAttempt(first.client, "pipe_gauge", asked);
  assert.deepEqual([queued.state, queued.outcome, queued.timeline], ["queued", null, []]);
  assert.deepEqual(queued.parameters, { capacity_bytes: 65536, ...asked.parameters });

  const events = [];
  for (let over = false; !over; ) {
    const event = await stream.next();
    events.push(event);
    over = event.event === "attempt" && event.data.state === "done";
  }
  stream.close();
  const states = events.filter((one) => one.event === "attempt").map((one) => one.data.state);
  assert.deepEqual(states, ["queued", "running", "done"]);
  const lines = events.filter((one) => one.event === "line").map((one) => one.data);

  const { json: attempt } = await first.client.get(`/api/v1/attempts/${queued.id}`);
  assert.deepEqual([attempt.outcome, attempt.agrees, attempt.explanation_key], [45066, false, "page_slots"]);
  assert.deepEqual([attempt.student, attempt.group, attempt.prediction], ["Ada", "b2", asked.prediction]);
  assert.equal(attempt.evidence.bytes_when_blocked, 45066);
  assert.match(attempt.explanation, /45\u202f066 bytes/, "filled in from the evidence");
  assert.doesNotMatch(attempt.explanation, /[{}]/);
  assert.match(attempt.kernel, /Linux/);
  const { json: machine } = await first.client.get("/api/v1/machine");
  assert.deepEqual(attempt.machine, { comparable: machine.comparable, full: machine.full });
  assert.ok(attempt.created_ms <= attempt.started_ms && attempt.started_ms <= attempt.finished_ms);

  // What was told line by line is what is kept.
  const told = (/** @type {string} */ type) => lines.filter((line) => line.type === type);
  assert.deepEqual(attempt.workers.map((/** @type {any} */ one) => one.worker), ["writer", "reader"]);
  assert.equal(attempt.timeline.length, told("call").length);
  assert.equal(attempt.panels.length, told("panel").length);
  assert.deepEqual(attempt.workers.flatMap((/** @type {any} */ one) => one.states).length, told("state").length);
  for (const call of attempt.timeline) {
    const ended = told("return").find((line) => line.number === call.number);
    assert.deepEqual([call.end_ns, call.returned], [ended?.end_ns ?? null, ended?.returned ?? null]);
  }
  const writes = attempt.timeline.filter((/** @type {any} */ call) => call.call === "write");
  assert.ok(writes.length > 10 && writes.every((/** @type {any} */ call) => call.bytes === 4097), "all were returned from in the end");

  await first.stop();
  const second = await startServer(t, { data });
  assert.deepEqual((await second.client.get(`/api/v1/attempts/${queued.id}`)).json, attempt);
});

test("a prediction agrees or not, and need not be made", async (t) => {
  const { client } = await startServer(t);
  const right = await takeAttempt(client, "pipe_gauge", { parameters: quick, prediction: { answer: 65536 } });
  assert.deepEqual([right.outcome, right.agrees, right.prediction], [65536, true, { answer: 65536, reason: "" }]);
  const none = await takeAttempt(client, "pipe_gauge", { parameters: quick, prediction: null });
  assert.deepEqual([none.outcome, none.agrees, none.prediction, none.student], [65536, null, null, null]);
});

test("what cannot be asked is refused with the field and its bounds, and nothing is archived", async (t) => {
  const { client } = await startServer(t);
  /** @type {[any, string, RegExp][]} */
  const wrong = [
    [{ parameters: { chunk_bytes: 0 } }, "/parameters/chunk_bytes", /1 to 65536, got 0/],
    [{ parameters: { chunk_bytes: 65537 } }, "/parameters/chunk_bytes", /1 to 65536/],
    [{ parameters: { chunk_bytes: 1.5 } }, "/parameters/chunk_bytes", /integer/],
    [{ parameters: { chunk_bytes: "1" } }, "/parameters/chunk_bytes", /got a string/],
    [{ parameters: { chunk_byte: 1 } }, "/parameters/chunk_byte", /"chunk_bytes"/],
    [{ parameters: [] }, "/parameters", /object/],
    [{ prediction: {} }, "/prediction/answer", /missing/],
    [{ prediction: { answer: -1 } }, "/prediction/answer", /0 to 1048576/],
    [{ prediction: { answer: "all" } }, "/prediction/answer", /integer/],
    [{ prediction: { answer: 1, reason: "x".repeat(2001) } }, "/prediction/reason", /2000/],
    [{ prediction: { answer: 1, confidence: 1 } }, "/prediction/confidence", /unknown/],
    [{ prediction: 65536 }, "/prediction", /object/],
    [{ student: "x".repeat(121) }, "/student", /120/],
    [{ group: 7 }, "/group", /string/],
    [{ parameter: {} }, "/parameter", /"parameters"/],
  ];
  for (const [body, pointer, detail] of wrong) {
    const { status, json } = await client.post(`${labs}/pipe_gauge/attempts`, body);
    assert.equal(status, 422, JSON.stringify(body));
    const fault = json.errors.find((/** @type {any} */ one) => one.pointer === pointer);
    assert.ok(fault, `${pointer} in ${JSON.stringify(json.errors)}`);
    assert.match(fault.detail, detail);
  }
  // Each of these is allowed, but not both.
  const conflict = await client.post(`${labs}/pipe_stdio/attempts`, { parameters: { lines: 20, interval_ms: 401 } });
  assert.deepEqual([conflict.status, conflict.json.errors], [422, [{ pointer: "/parameters/interval_ms", detail: "must be 0 to 400 while lines is 20, got 401" }]]);
  assert.deepEqual((await client.get(`${labs}/pipe_stdio/attempts`)).json.attempts, []);
  assert.equal((await client.post(`${labs}/shm_alone/attempts`, { parameters: { address: "fixd" } })).json.errors[0].pointer, "/parameters/address");
  for (const body of ["{", "", "{}x"]) assert.equal((await client.post(`${labs}/pipe_gauge/attempts`, body)).status, 400, body);
  assert.deepEqual((await client.get(`${labs}/pipe_gauge/attempts`)).json, { attempts: [], next_cursor: null });
  for (const path of ["/api/v1/attempts/1", "/api/v1/attempts/1/trace"]) assert.equal((await client.get(path)).status, 404, path);
  for (const query of ["limit=0", "limit=201", "cursor=x", "format=xml"]) assert.equal((await client.get(`${labs}/pipe_gauge/attempts?${query}`)).status, 422, query);
});

test("the trace is one that trace viewers open", async (t) => {
  const { client } = await startServer(t);
  const attempt = await takeAttempt(client, "pipe_gauge", { parameters: quick });
  const { json, headers } = await client.get(`/api/v1/attempts/${attempt.id}/trace`);
  assert.match(headers["content-disposition"], /filename="pipe_gauge-1\.json"/);
  const names = json.traceEvents.filter((/** @type {any} */ one) => one.name === "process_name").map((/** @type {any} */ one) => one.args.name);
  assert.deepEqual(names, ["writer", "reader"]);
  const calls = json.traceEvents.filter((/** @type {any} */ one) => one.cat === "call");
  assert.equal(calls.length, attempt.timeline.length);
  for (const [i, call] of attempt.timeline.entries()) {
    assert.equal(calls[i].ph, call.end_ns === null ? "B" : "X");
    assert.ok(Math.abs(calls[i].ts * 1000 - call.begin_ns) < 1, "microseconds");
    if (call.end_ns !== null) assert.ok(Math.abs(calls[i].dur * 1000 - (call.end_ns - call.begin_ns)) < 1);
    assert.equal(calls[i].args.arguments, call.arguments);
  }
});

test("a class is listed by group and student, counted, and handed in as a table", async (t) => {
  const { client } = await startServer(t);
  /** @type {[string, string, number|null][]} */
  const class_b2 = [["Ada", "b2", 65536], ["=1+1", "b2", 4096], ["Ann, \"A\"", "b2", 65536], ["Bob", "c1", 1], ["Eve", "b2", null]];
  for (const [student, group, answer] of class_b2) {
    await takeAttempt(client, "pipe_gauge", { parameters: quick, student, group, prediction: answer === null ? null : { answer, reason: "a\nb" } });
  }
  const list = (/** @type {string} */ query) => client.get(`${labs}/pipe_gauge/attempts?${query}`).then(({ json }) => json);
  const students = (/** @type {any} */ page) => page.attempts.map((/** @type {any} */ one) => one.student);
  assert.deepEqual(students(await list("group=B2")), ["Eve", 'Ann, "A"', "=1+1", "Ada"], "newest first, whatever the case");
  assert.deepEqual(students(await list("group=b2&student=Ada")), ["Ada"]);
  assert.deepEqual(students(await list("group=&student=")).length, 5, "empty is no filter");
  const first = await list("limit=3");
  const rest = await list(`limit=3&cursor=${first.next_cursor}`);
  assert.deepEqual([...students(first), ...students(rest)], ["Eve", "Bob", 'Ann, "A"', "=1+1", "Ada"]);
  assert.equal(rest.next_cursor, null);
  assert.equal(first.attempts[0].timeline, undefined, "a list is short");

  const { json: counts } = await client.get(`${labs}/pipe_gauge/predictions?group=b2`);
  assert.deepEqual(counts, { lab: "pipe_gauge", group: "b2", predicted: [{ answer: 65536, count: 2 }, { answer: 4096, count: 1 }], observed: [{ answer: 65536, count: 4 }] });

  const other = await takeAttempt(client, "pipe_gauge", { parameters: { ...quick, chunk_bytes: 4097 } });
  const like = async (/** @type {number} */ id) => (await client.get(`${labs}/pipe_gauge/predictions?like=${id}`)).json.observed;
  assert.deepEqual([await like(other.id), await like(1)], [[{ answer: 45066, count: 1 }], [{ answer: 65536, count: 5 }]], "the distribution over equal attempts");
  assert.deepEqual((await list(`like=${other.id}`)).attempts.map((/** @type {any} */ one) => one.id), [other.id]);

  const table = await client.get(`${labs}/pipe_gauge/attempts?group=b2&format=csv`);
  assert.equal(table.headers["content-type"], "text/csv; charset=utf-8");
  assert.match(table.headers["content-disposition"], /filename="pipe_gauge\.csv"/);
  const [header, ...rows] = table.text.trimEnd().split("\r\n");
  assert.match(header, /^id,lab,state,created,finished,group,student,chunk_bytes,capacity_bytes,delay_ms,predicted,reason,outcome,agrees,/);
  assert.equal(rows.length, 4);
  assert.ok(rows[2].includes(",b2,'=1+1,4096,"), `no formula: ${rows[2]}`);
  assert.ok(rows[1].includes(',b2,"Ann, ""A""",'), rows[1]);
  assert.ok(rows[3].includes(',65536,"a\nb",65536,yes,'), rows[3]);
});

test("an attempt waits for the trial that is being timed, and the next trial waits for it", async (t) => {
  const { client } = await startServer(t);
  const { run: id, asked } = await askBesideTrial(client, 2, () => postAttempt(client, "pipe_gauge", { parameters: quick }));
  assert.deepEqual([asked.state, asked.waiting_for], ["queued", `run ${id}`]);
  const attempt = await waitForAttempt(client, asked.id);
  assert.deepEqual([attempt.state, attempt.waiting_for], ["done", null]);
  const run = await waitForRun(client, id);
  assert.deepEqual([run.state, run.trials_done, run.trials_failed], ["done", 2, 0]);
  const { json } = await client.get(`/api/v1/runs/${run.id}/trials`);
  for (const trial of json.trials) {
    const ended_ms = trial.started_ms + Math.floor(trial.duration_ns / 1e6);
    assert.ok(ended_ms <= attempt.started_ms + 1 || trial.started_ms + 1 >= attempt.finished_ms, `trial ${trial.sequence} ran beside the attempt`);
  }
  assert.ok(json.trials.at(-1).started_ms >= attempt.finished_ms - 1, "the run did not end first");
});

test("only so many attempts go on at a time; the others wait their turn", async (t) => {
  const { client } = await startServer(t);
  const typed = [];
  for (let i = 0; i < 4; i++) typed.push(await postAttempt(client, "fifo_session", { parameters: { typing: "live" } }));
  for (const { id } of typed) await waitForAttempt(client, id, (one) => one.state === "running");
  const asked = await postAttempt(client, "pipe_gauge", { parameters: quick });
  const waiting = await waitForAttempt(client, asked.id, (one) => one.waiting_for !== null || one.state !== "queued");
  assert.deepEqual([waiting.state, waiting.waiting_for], ["queued", "others"]);
  for (const { id } of typed) assert.equal((await client.get(`/api/v1/attempts/${id}`)).json.state, "running");
  await client.post(`/api/v1/attempts/${typed[2].id}/cancel`);
  const attempt = await waitForAttempt(client, asked.id);
  assert.equal(attempt.state, "done");
  assert.ok(attempt.started_ms >= (await waitForAttempt(client, typed[2].id)).finished_ms, "the place was free");
});

test("an interactive lab takes what is typed, and says when it takes no more", async (t) => {
  const { client } = await startServer(t);
  const { id } = await postAttempt(client, "fifo_session", { parameters: { typing: "live" } });
  const path = `/api/v1/attempts/${id}`;
  await waitForAttempt(client, id, (one) => one.state === "running");
  for (const [body, pointer] of /** @type {[any, string][]} */ ([
    [{ text: "x\n" }, "/terminal"], [{ terminal: "writer" }, ""], [{ terminal: "writer", text: "x", eof: true }, ""],
    [{ terminal: "writer", text: "x".repeat(1001) }, "/text"], [{ terminal: "w".repeat(16), eof: true }, "/terminal"], [{ terminal: "writer", txt: "x" }, "/txt"],
  ])) {
    const { status, json } = await client.post(`${path}/input`, body);
    assert.deepEqual([status, json.errors[0].pointer], [422, pointer], JSON.stringify(body));
  }
  const stream = await client.stream(`attempt:${id}`);
  assert.equal((await client.post(`${path}/input`, { terminal: "writer", text: "hello, reader\n" })).status, 204);
  await stream.next((event) => event.event === "line" && JSON.stringify(event.data).includes("hello, reader"));
  stream.close();
  assert.equal((await client.post(`${path}/cancel`)).status, 202);
  assert.equal((await waitForAttempt(client, id)).state, "cancelled");
  assert.equal((await client.post(`${path}/cancel`)).status, 409);
  assert.equal((await client.post(`${path}/input`, { terminal: "writer", eof: true })).status, 409);
  const other = await postAttempt(client, "pipe_gauge", { parameters: quick });
  assert.equal((await client.post(`/api/v1/attempts/${other.id}/input`, { terminal: "writer", eof: true })).status, 409, "it has no terminals");
  await waitForAttempt(client, other.id);
});

test("texts come in English to whoever asks for a language that is not there", async (t) => {
  const { client } = await startServer(t);
  const plain = await client.get(`${labs}/pipe_gauge`);
  for (const wanted of ["xx", "xx-YY;q=0.9, *;q=0.1", ";;;,,,", "en-GB"]) {
    const { status, text, headers } = await client.get(`${labs}/pipe_gauge`, { "Accept-Language": wanted });
    assert.deepEqual([status, headers["content-language"], text === plain.text], [200, "en", true], wanted);
  }
});
