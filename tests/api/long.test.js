import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { build, small, startServer, takeRun } from "./support/server.js";

const run = promisify(execFile);
const runs = 9;
const trials = 200; /* 20 of each case */
const long = "/api/v1/compare?base=9&against=1,2,3,4,5,6,7,8";

/** An archive with enough trials that comparing all runs is too long for the loop. */
let data = "";
before(async () => {
  data = await mkdtemp(join(tmpdir(), "ipclab-long-"));
  await run(join(build, "tests/archive"), [data, String(runs), String(trials)]);
});
after(() => rm(data, { recursive: true }));

/** @param {import("./support/client.js").Client} client */
async function countChildren(client) {
  const { text } = await client.get("/metrics");
  return Number(/^ipclab_http_answers_by_child_total (\d+)$/m.exec(text)?.[1]);
}

test("a long comparison is made by a child, like any other answer", async (t) => {
  const { client } = await startServer(t, { data });
  const { status, json, text, headers } = await client.get(long);
  assert.equal(status, 200);
  assert.equal(json.verdicts.length, 8 * 10);
  assert.equal(headers["content-length"], String(text.length));
  assert.equal(await countChildren(client), 1);
  assert.equal((await client.get(long, { "If-None-Match": headers.etag })).status, 304);
  const head = await client.request("HEAD", long);
  assert.deepEqual([head.status, head.text], [200, ""]);
  assert.equal(head.headers.etag, headers.etag);

  assert.equal(await countChildren(client), 3);
  assert.equal((await client.get("/api/v1/compare?base=9&against=1")).status, 200);
  assert.equal(await countChildren(client), 3, "a short one is not");

  await takeRun(client, small);
  const { json: next } = await client.get("/api/v1/compare?base=10&against=1,2,3,4,5,6,7,8");
  assert.equal(next.base, 10, "a child sees what was committed before it");
  assert.equal(await countChildren(client), 4);
});

/**
 * Sends a bundle with that many bytes of white space in front, never holding more than a piece of it.
 * @param {number} port @param {string} bundle @param {number} padding
 */
async function importPadded(port, bundle, padding) {
  const piece = " ".repeat(1 << 20);
  const outgoing = request({ host: "127.0.0.1", port, method: "POST", path: "/api/v1/imports", headers: { "Content-Type": "application/json" } });
  const answered = once(outgoing, "response");
  for (let sent = 0; sent < padding; sent += piece.length) {
    if (!outgoing.write(piece)) await Promise.race([once(outgoing, "drain"), answered]);
  }
  outgoing.end(bundle);
  const [incoming] = await answered;
  incoming.resume();
  return incoming.statusCode;
}

test("a run of thousands of trials leaves as a file and comes back, whatever its length", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "ipclab-long-run-"));
  t.after(() => rm(directory, { recursive: true }));
  await run(join(build, "tests/archive"), [directory, "1", "3000"]);
  const here = await startServer(t, { data: directory });
  const there = await startServer(t);
  const files = Object.fromEntries(await Promise.all(["json", "csv", "hlog"].map(async (format) => [format, await here.client.get(`/api/v1/runs/1/export?format=${format}`)])));
  for (const [format, { status, text, headers }] of Object.entries(files)) {
    assert.equal(status, 200, format);
    assert.ok(text.length > 1 << 20, `${format} has ${text.length} bytes`);
    assert.equal(headers["content-length"], String(text.length));
    assert.equal((await here.client.get(`/api/v1/runs/1/export?format=${format}`, { "If-None-Match": headers.etag })).status, 304);
  }
  assert.equal(files.csv.text.split("\n").length, 1 + 3000 + 1);
  assert.equal(new Set(Object.values(files).map(({ headers }) => headers.etag)).size, 3);

  /* Longer than the longest that was ever taken whole, 64 MiB. */
  assert.equal(await importPadded(there.port, files.json.text, 70 << 20), 201);
  assert.equal((await there.client.get("/api/v1/runs/1/export?format=json")).text, files.json.text);
  assert.ok(Number(/VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${there.child.pid}/status`, "utf8"))?.[1]) < 60000, "no more than a portion is in memory");
});

test("more than a few at a time are told to come again", async (t) => {
  const server = await startServer(t, { data });
  const answers = await Promise.all(Array.from({ length: 12 }, () => server.client.get(long)));
  const good = answers.filter(({ status }) => status === 200);
  assert.ok(good.length >= 4, `${good.length} were answered`);
  for (const { status, headers } of answers.filter((answer) => !good.includes(answer))) assert.deepEqual([status, headers["retry-after"]], [503, "5"]);
  for (const { text } of good) assert.equal(text, good[0].text);
});

test("a child that cannot answer is a problem, not the server's end", async (t) => {
  const server = await startServer(t, { data });
  const file = join(data, "ipclab.db");
  await rename(file, `${file}.away`);
  const { status, json } = await server.client.get(long);
  assert.deepEqual([status, json.status], [503, 503]);
  await server.logged(/"no answer"/);
  await rename(`${file}.away`, file);
  assert.equal((await server.client.get(long)).status, 200);

  const asked = server.client.get(long).catch(() => null);
  assert.equal((await server.stop()).status, 0, "a server that is stopped does not wait for its children");
  await asked;
});
