import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { small, startServer, takeRun } from "./support/server.js";

const runs = "/api/v1/runs";

/** @param {import("./support/client.js").Client} client */
const countRuns = async (client) => (await client.get(runs)).json.runs.length;

test("what is not JSON is refused with the byte where it fails, and nothing is stored", async (t) => {
  const { client } = await startServer(t);
  const bad = [
    "", " ", "{", '{"preset":"quick"', '{"preset":"quick"} x', "{'preset':1}", '{"preset":"quick",}', '{"trials":01}', '{"trials":1.}',
    '{"trials":NaN}', '{"trials":1e999}', '{"name":"\u0001"}', '{"name":"\\x"}', '{"name":"\\ud800"}', '{"name":"\\u0000"}',
    '{"trials":1,"trials":2}', "\uFEFF{}", `{"a":${"[".repeat(17)}${"]".repeat(17)}}`,
  ];
  for (const body of bad) {
    const { status, json } = await client.post(runs, body);
    assert.equal(status, 400, JSON.stringify(body));
    if (body.trim() !== "") assert.match(json.detail, body.includes('"trials":2') ? /^\/trials / : /byte \d+/, JSON.stringify(body));
  }
  assert.equal((await client.post(runs, Buffer.from('{"name":"\xff\xfe"}', "latin1"))).status, 400);
  assert.equal(await countRuns(client), 0);
});

test("what is not an experiment is refused with every fault, its bound and the nearest name", async (t) => {
  const { client } = await startServer(t);
  const faults = async (/** @type {unknown} */ body) => {
    const { status, json } = await client.post(runs, body);
    assert.equal(status, 422, JSON.stringify(body));
    return Object.fromEntries(json.errors.map((/** @type {any} */ one) => [one.pointer, one.detail]));
  };
  const found = await faults({ mechanisms: ["pip"], trials: 0, duration_ms: "long", warmup_ms: 1e6, colour: "red", placment: "free", seed: 1.5, tags: "x", verify: null });
  for (const pointer of ["/mechanisms/0", "/trials", "/duration_ms", "/warmup_ms", "/colour", "/placment", "/seed", "/tags", "/verify"]) {
    assert.ok(found[pointer], `${pointer} in ${Object.keys(found)}`);
  }
  assert.match(found["/mechanisms/0"], /did you mean "pipe"/);
  assert.match(found["/colour"], /^unknown field; known: [a-z_, ]+\bmechanisms\b/);
  assert.match(found["/placment"], /"placement"/);
  assert.match(found["/trials"], /1.*1000/);
  assert.ok((await faults({}))["/mechanisms"]);
  const { json: { mechanisms } } = await client.get("/api/v1/mechanisms");
  const known = mechanisms.map((/** @type {any} */ one) => one.name).join(", ");
  assert.equal((await faults({ mechanisms: ["carrier_pigeon"] }))["/mechanisms/0"], `must be one of: ${known}`, "every one of them");
  assert.ok((await faults({ preset: "quik" }))["/preset"].includes('"quick"'));
  assert.ok((await faults({ ...small, rate_hz: 100 }))["/rate_hz"]);
  assert.ok((await faults({ ...small, message_bytes: [0] }))["/message_bytes/0"]);
  assert.ok((await faults({ ...small, mechanisms: ["pipe", "pipe"] }))["/mechanisms/1"]);
  assert.ok((await faults({ ...small, relation: "unrelated" }))["/relation"]);
  assert.ok((await faults({ ...small, wait: "futex" }))["/wait"]);
  assert.ok((await faults({ ...small, name: "x".repeat(121) }))["/name"]);
  assert.ok((await faults({ ...small, note: "\u00e9".repeat(4001) }))["/note"]);
  for (const body of ["[]", "null", "1", '"x"']) await faults(body);
  assert.equal((await client.post(runs, "[]")).json.detail, "must be an object, got an array");
  const tooLarge = await client.post(runs, { ...small, mechanisms: ["mq_sysv"], message_bytes: [64, 1 << 24], patterns: ["round_trip", "stream"] });
  assert.equal(tooLarge.json.errors.length, 1, "a size that both patterns take is one fault");
  assert.equal(await countRuns(client), 0);
});

test("a long unknown name is quoted whole characters at a time", async (t) => {
  const { client } = await startServer(t);
  for (let pad = 0; pad < 4; pad++) {
    const name = "x".repeat(pad) + "\u{1F600}".repeat(60);
    const { status, text } = await client.post(runs, { mechanisms: [name], [name]: 1 });
    assert.equal(status, 422);
    assert.ok(Buffer.from(text, "utf8").toString("utf8") === text);
    await client.get(`${runs}?${encodeURIComponent(name)}=1&mechanism=${encodeURIComponent(name)}`);
  }
});

test("a body of 64 KiB is taken, a larger one refused, with a length and without", async (t) => {
  const { client } = await startServer(t);
  const padded = (/** @type {number} */ bytes) => JSON.stringify(small) + " ".repeat(bytes - JSON.stringify(small).length);
  assert.equal((await client.post(runs, padded(65536))).status, 202);
  for (const bytes of [65537, 100_000, 900_000]) {
    assert.equal((await client.post(runs, padded(bytes))).status, 413, String(bytes));
    assert.equal((await client.post(runs, padded(bytes), { "Transfer-Encoding": "chunked" })).status, 413, `${bytes} in chunks`);
  }
  assert.equal((await client.post(runs, padded(65536), { "Transfer-Encoding": "chunked" })).status, 202);
  assert.equal((await client.get("/healthz")).json.status, "ok");
});

test("requests that change something say that they are JSON", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const changes = [["POST", runs], ["PATCH", `${runs}/${run.id}`], ["DELETE", `${runs}/${run.id}`], ["POST", `${runs}/${run.id}/cancel`], ["POST", `${runs}/${run.id}/restore`]];
  for (const [method, path] of changes) {
    for (const type of [null, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"]) {
      assert.equal((await client.request(method, path, { headers: { "Content-Type": type } })).status, 415, `${method} ${path} ${type}`);
    }
  }
  assert.equal((await client.post(runs, small, { "Content-Type": "application/json; charset=utf-8" })).status, 202);
  const packed = await client.post("/api/v1/imports", gzipSync("{}"), { "Content-Encoding": "gzip" });
  assert.deepEqual([packed.status, packed.json.detail], [415, "A body is taken as it is: send it unpacked and without Content-Encoding."]);
});

test("what takes no fields refuses them rather than doing something else", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const { json: attempt } = await client.post("/api/v1/labs/pipe_gauge/attempts", {});
  const { json: check } = await client.post("/api/v1/claims/38/checks", {});
  const actions = [["POST", `${runs}/${run.id}/cancel`], ["DELETE", `${runs}/${run.id}`], ["POST", `${runs}/${run.id}/restore`], ["POST", "/api/v1/claims/checks"],
    ["POST", "/api/v1/claims/38/checks"], ["POST", `/api/v1/checks/${check.id}/cancel`], ["POST", `/api/v1/attempts/${attempt.id}/cancel`]];
  for (const [method, path] of actions) {
    const { status, json } = await client.request(method, path, { body: '{"claims":[38]}', headers: { "Content-Length": "15" } });
    assert.equal(status, 422, `${method} ${path}`);
    assert.deepEqual(json.errors, [{ pointer: "/claims", detail: "unknown field; known: none" }]);
    assert.equal((await client.request(method, path, { body: "{", headers: { "Content-Length": "1" } })).status, 400, `${method} ${path}`);
  }
  assert.equal((await client.get(`${runs}/${run.id}`)).status, 200, "it was not deleted");
  assert.equal((await client.get("/api/v1/claims/38/checks")).json.checks.length, 1);
  assert.equal((await client.request("DELETE", `${runs}/${run.id}`, { body: " {}\n", headers: { "Content-Length": "4" } })).status, 204);
});

test("a query that cannot be read is refused with what may be wrong with it", async (t) => {
  const { client } = await startServer(t);
  for (const query of ["base=1&against=2&max_slower=5%", "q=%ff", "q=%00", `q=1${"&q=1".repeat(24)}`]) {
    const { status, json } = await client.get(`/api/v1/compare?${query}`);
    assert.deepEqual([status, json.detail.includes("% itself is written %25")], [400, true], query);
  }
  const { json } = await client.get("/api/v1/compare?base=1&against=2&zzzzzzzz=1");
  assert.deepEqual(json.errors, [{ pointer: "?zzzzzzzz", detail: "unknown parameter; known: base, against, statistic, max_slower" }]);
});

test("no other host, no other origin, whatever the method", async (t) => {
  const { client, port } = await startServer(t);
  const requests = [["GET", "/"], ["GET", "/healthz"], ["GET", "/api/v1/events"], ["GET", runs], ["POST", runs], ["PATCH", `${runs}/1`], ["DELETE", `${runs}/1`]];
  for (const [method, path] of requests) {
    for (const host of ["evil.example", `evil.example:${port}`, "localhost", `localhost:${port + 1}`, `localhost.evil.example:${port}`, `127.0.0.1.evil.example:${port}`]) {
      assert.equal((await client.request(method, path, { headers: { Host: host } })).status, 421, `${method} ${path} ${host}`);
    }
    for (const origin of ["http://evil.example", `http://localhost:${port}`, `https://127.0.0.1:${port}`, "null", `http://127.0.0.1:${port}.evil.example`]) {
      assert.equal((await client.request(method, path, { headers: { Origin: origin } })).status, 403, `${method} ${path} ${origin}`);
    }
  }
  for (const host of [`localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`, `127.0.0.1:${port}`]) {
    assert.equal((await client.get("/healthz", { Host: host, Origin: `http://${host}` })).status, 200, host);
  }
});

test("a full disk is told as such; reading goes on, and writing does as soon as there is room", async (t) => {
  // The archive on a file system of 2 MB that only the server sees.
  const namespaces = process.getuid?.() === 0 ? ["unshare", "-m"] : ["unshare", "-Urm"];
  try {
    execFileSync(namespaces[0], [...namespaces.slice(1), "mount", "-t", "tmpfs", "none", "/mnt"]);
  } catch {
    t.skip("no mount namespaces here");
    return;
  }
  const server = await startServer(t, { wrap: [...namespaces, "sh", "-c", 'mount -t tmpfs -o size=2m none "$6" && exec "$@"', "sh"] });
  const { client, child, data } = server;
  const run = await takeRun(client);
  const inside = `/proc/${child.pid}/root${data}`;
  const { writeFileSync, rmSync } = await import("node:fs");
  assert.throws(() => writeFileSync(`${inside}/filler`, Buffer.alloc(4 << 20)), /ENOSPC/);
  const path = `${runs}/${run.id}`;
  const refused = await client.patch(path, { note: "x".repeat(8000) }, { "If-Match": "*" });
  assert.equal(refused.status, 507);
  assert.match(refused.json.detail, /full|space/i);
  assert.deepEqual([(await client.get("/healthz")).json.archive, (await client.get("/healthz")).json.status], ["full", "degraded"]);
  assert.equal((await client.get(path)).json.note, run.note);
  assert.equal((await client.get(`${path}/results`)).status, 200);
  rmSync(`${inside}/filler`);
  assert.equal((await client.patch(path, { note: "room" }, { "If-Match": "*" })).status, 200);
  assert.equal((await client.get("/healthz")).json.archive, "ok");
});
