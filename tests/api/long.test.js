import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rename, rm } from "node:fs/promises";
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
