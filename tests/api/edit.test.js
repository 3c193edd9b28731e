import assert from "node:assert/strict";
import { test } from "node:test";

import { startServer, takeRun } from "./support/server.js";

const runs = "/api/v1/runs";

test("an edit needs the tag of what it edits, and a stale one is refused", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const path = `${runs}/${run.id}`;
  const { headers } = await client.get(path);
  assert.equal((await client.patch(path, { name: "x" })).status, 428);
  assert.equal((await client.patch(path, { name: "x" }, { "If-Match": "nonsense" })).status, 400);
  assert.equal((await client.patch(path, { name: "x" }, { "If-Match": '"0000000000000000-0000000000000000"' })).status, 412);
  assert.equal((await client.patch(path, { name: "x" }, { "If-Match": `W/${headers.etag}` })).status, 412, "weak");

  const first = await client.patch(path, { name: "new", note: "note", tags: ["t"], pinned: true }, { "If-Match": headers.etag });
  assert.equal(first.status, 200);
  const { name, note, tags, pinned } = first.json;
  assert.deepEqual({ name, note, tags, pinned }, { name: "new", note: "note", tags: ["t"], pinned: true });
  assert.equal(first.json.experiment.name, run.experiment.name, "what was asked for stays");
  assert.ok(first.json.rev > run.rev);
  assert.equal((await client.patch(path, { name: "y" }, { "If-Match": headers.etag })).status, 412);
  assert.equal((await client.get(path)).json.name, "new");
  const second = await client.patch(path, { note: "" }, { "If-Match": first.headers.etag });
  assert.deepEqual([second.status, second.json.note, second.json.name], [200, "", "new"]);
  assert.equal((await client.patch(path, { pinned: false }, { "If-Match": "*" })).status, 200);
});

test("a run is not sent again until it has changed", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const path = `${runs}/${run.id}`;
  const { headers } = await client.get(path);
  assert.equal((await client.get(path, { "If-None-Match": headers.etag })).status, 304);
  assert.equal((await client.get(path, { "If-None-Match": `W/${headers.etag}` })).status, 304);
  await client.patch(path, { name: "x" }, { "If-Match": headers.etag });
  assert.equal((await client.get(path, { "If-None-Match": headers.etag })).status, 200);
});

test("an edit that is not valid names every fault and changes nothing", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const path = `${runs}/${run.id}`;
  const before = (await client.get(path)).text;
  const { status, json } = await client.patch(path, { name: 1, note: "x".repeat(8001), tags: ["a", "a", ""], pinned: "yes", nane: "x", state: "done" }, { "If-Match": "*" });
  assert.equal(status, 422);
  const pointers = json.errors.map((/** @type {any} */ one) => one.pointer);
  for (const pointer of ["/name", "/note", "/tags/1", "/tags/2", "/pinned", "/nane", "/state"]) assert.ok(pointers.includes(pointer), `${pointer} in ${pointers}`);
  assert.match(json.errors.find((/** @type {any} */ one) => one.pointer === "/nane").detail, /"name"/);
  for (const body of ["[]", "null", "1"]) assert.equal((await client.patch(path, body, { "If-Match": "*" })).status, 422, body);
  assert.equal((await client.patch(path, "{", { "If-Match": "*" })).status, 400);
  assert.equal((await client.get(path)).text, before);
});

test("hostile text comes back as the text it was", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const path = `${runs}/${run.id}`;
  const hostile = ["<img src=x onerror=alert(1)>", "\u202Etxt.exe", "=cmd|' /C calc'!A0", "a\u0000b".replace("\u0000", "\\u0000"), "\"\\\n\r\t", "\u{1F600}", "%s%n"];
  for (const text of hostile) {
    const { status, json } = await client.patch(path, { note: text, tags: [text.slice(0, 20)] }, { "If-Match": "*" });
    assert.deepEqual([status, json.note, json.tags], [200, text, [text.slice(0, 20)]]);
  }
});

test("deleting hides a run, restoring brings it back, both as often as one likes", async (t) => {
  const { client } = await startServer(t);
  const kept = await takeRun(client);
  const run = await takeRun(client);
  const path = `${runs}/${run.id}`;
  const stream = await client.stream("runs");
  const { status, text } = await client.delete(path);
  assert.deepEqual([status, text], [204, ""]);
  assert.deepEqual((await stream.next()).data, { id: run.id, rev: run.rev + 1 });
  for (const below of ["", "/results", "/trials"]) {
    const { status: gone, json } = await client.get(path + below);
    assert.equal(gone, 404, below);
    assert.match(json.detail, /restore/);
  }
  assert.equal((await client.delete(path)).status, 404);
  assert.equal((await client.post(`${path}/cancel`)).status, 404);
  assert.deepEqual((await client.get(runs)).json.runs.map((/** @type {any} */ one) => one.id), [kept.id]);

  const restored = await client.post(`${path}/restore`);
  assert.deepEqual([restored.status, restored.json.id, restored.json.deleted], [200, run.id, false]);
  assert.deepEqual([restored.json.rev, (await stream.next((event) => event.event === "run")).data.id], [run.rev + 2, run.id]);
  assert.equal((await client.post(`${path}/restore`)).status, 200);
  assert.equal((await client.get(`${path}/results`)).json.cases[0].trials, 1);
  stream.close();
});

test("a delete with a tag minds it", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const path = `${runs}/${run.id}`;
  const { headers } = await client.get(path);
  await client.patch(path, { name: "x" }, { "If-Match": headers.etag });
  assert.equal((await client.delete(path, { "If-Match": headers.etag })).status, 412);
  assert.equal((await client.delete(path, { "If-Match": "*" })).status, 204);
});
