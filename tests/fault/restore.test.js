/**
 * Back to a copy after a crash, as the README says it.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { build, small, startServer, takeRun } from "../api/support/server.js";

test("a copy put back after a crash is the archive again, once the log of the other file is gone", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "ipclab-restore-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const data = join(directory, "data");
  const copy = join(directory, "copy.db");
  const { client, child } = await startServer(t, { data });
  const run = await takeRun(client);
  execFileSync(join(build, "ipclab"), ["backup", copy, "--data", data]);
  await takeRun(client, { ...small, name: "after the copy" });
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok((await readdir(data)).includes("ipclab.db-wal"), "what the crash leaves");

  await copyFile(copy, join(data, "ipclab.db"));
  for (const ending of ["-wal", "-shm"]) await rm(join(data, `ipclab.db${ending}`));
  const restored = await startServer(t, { data });
  const { json } = await restored.client.get("/api/v1/runs");
  assert.deepEqual(json.runs.map((/** @type {any} */ one) => one.uid), [run.uid]);
  execFileSync(join(build, "ipclab"), ["verify", "--data", data]);
});
