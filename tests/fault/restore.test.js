/**
 * Back to a copy, after a crash too. What a kill leaves of a restore, archive_restore.c tries call by call.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { build, small, startServer, takeRun } from "../api/support/server.js";

/** @param {string[]} words */
function ipclab(...words) {
  const { status, stdout, stderr } = spawnSync(join(build, "ipclab"), words, { encoding: "utf8" });
  return { status, out: stdout, err: stderr };
}

/** @param {any} server @returns {Promise<string[]>} the names of its runs */
async function namesOf({ client }) {
  const { json } = await client.get("/api/v1/runs");
  return json.runs.map((/** @type {any} */ one) => one.name);
}

/** @param {import("node:test").TestContext} t */
async function scratch(t) {
  const directory = await mkdtemp(join(tmpdir(), "ipclab-restore-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return { data: join(directory, "data"), copy: join(directory, "copy.db"), directory };
}

test("a copy is put back after a crash, and what was there can be put back in turn", async (t) => {
  const { data, copy } = await scratch(t);
  const server = await startServer(t, { data });
  await takeRun(server.client, { ...small, name: "before" });
  execFileSync(join(build, "ipclab"), ["backup", copy, "--data", data]);
  await takeRun(server.client, { ...small, name: "after" });

  const busy = ipclab("restore", copy, "--data", data);
  assert.equal(busy.status, 1);
  assert.match(busy.err, new RegExp(`pid ${server.child.pid}\\b`), "a server runs: it is named");
  assert.deepEqual(await namesOf(server), ["after", "before"]);

  await server.crash();
  assert.ok((await readdir(data)).includes("ipclab.db-wal"), "what the crash leaves");
  const { status, out } = ipclab("restore", copy, "--data", data);
  assert.equal(status, 0);
  const aside = /^the archive before is (.+)$/m.exec(out)?.[1] ?? "";
  assert.ok((await readdir(data)).some((name) => `${data}/${name}` === `${aside}-wal`), "with its log");
  assert.equal(ipclab("verify", "--data", data).status, 0);
  const restored = await startServer(t, { data });
  assert.deepEqual(await namesOf(restored), ["before"]);
  await restored.stop();

  assert.equal(ipclab("restore", aside, "--data", data).status, 0);
  assert.deepEqual(await namesOf(await startServer(t, { data })), ["after", "before"]);
});

test("a copy that is damaged or no archive changes nothing, and an archive is made where there was none", async (t) => {
  const { data, copy, directory } = await scratch(t);
  const server = await startServer(t, { data });
  const run = await takeRun(server.client);
  const { json: { trials: [{ histogram }] } } = await server.client.get(`/api/v1/runs/${run.id}/export`);
  await server.stop();
  execFileSync(join(build, "ipclab"), ["backup", copy, "--data", data]);
  const bytes = await readFile(copy);
  const blob = Buffer.from(histogram, "base64");
  const [flipped, letter] = [join(directory, "flipped.db"), join(directory, "letter.txt")];
  await writeFile(letter, "dear");
  const damaged = Buffer.from(bytes);
  damaged[bytes.indexOf(blob) + blob.length / 2 | 0] ^= 4;
  await writeFile(flipped, damaged);

  const before = [await readFile(join(data, "ipclab.db")), await readdir(data)];
  const refused = ipclab("restore", flipped, "--data", data);
  assert.deepEqual([refused.status, refused.out], [1, "the histogram of trial 1 does not match its checksum\n"]);
  assert.equal(ipclab("restore", letter, "--data", data).status, 78);
  assert.equal(ipclab("restore", join(directory, "none.db"), "--data", data).status, 78);
  assert.equal(ipclab("restore", join(data, "ipclab.db"), "--data", data).status, 1);
  assert.deepEqual([await readFile(join(data, "ipclab.db")), await readdir(data)], before);

  const fresh = join(directory, "fresh");
  assert.equal(ipclab("restore", letter, "--data", fresh).status, 78);
  await assert.rejects(readdir(fresh), { code: "ENOENT" });
  assert.deepEqual(ipclab("restore", copy, "--data", fresh), { status: 0, out: `${fresh}/ipclab.db is now what ${copy} was\n`, err: "" });
  assert.equal(ipclab("verify", "--data", fresh).status, 0);
});
