/**
 * The server where things are not as they mostly are.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";

import { small, startServer, takeRun } from "./support/server.js";

test("a server that was started with SIGCHLD ignored sees how its children end all the same", async (t) => {
  const { client } = await startServer(t, { wrap: ["env", "--ignore-signal=CHLD"] });
  const run = await takeRun(client);
  assert.deepEqual([run.state, run.trials_failed], ["done", 0]);
});

test("the catalogue has the limits that crews meet in their cage, not the machine's", async (t) => {
  const namespaces = process.getuid?.() === 0 ? ["unshare", "-i"] : ["unshare", "-Uri"];
  const raise = ["sh", "-c", 'echo 65536 > /proc/sys/kernel/msgmax && echo 65536 > /proc/sys/kernel/msgmnb && exec "$@"', "sh"];
  try {
    execFileSync(namespaces[0], [...namespaces.slice(1), ...raise, "true"], { stdio: "ignore" });
  } catch {
    t.skip("no IPC namespaces here, or none whose limits we may raise");
    return;
  }
  const { client } = await startServer(t, { wrap: [...namespaces, ...raise] });
  const { json } = await client.get("/api/v1/mechanisms");
  const queue = json.mechanisms.find((/** @type {any} */ one) => one.name === "mq_sysv");
  const run = await takeRun(client, { ...small, mechanisms: ["mq_sysv"], message_bytes: [queue.message_bytes_max] });
  assert.deepEqual([run.state, run.trials_failed], ["done", 0], `with ${queue.message_bytes_max} bytes`);
});

test("a queue that nobody asked to be long is as long as the limits of the user let it be", async (t) => {
  const { client } = await startServer(t, { wrap: ["prlimit", "--msgqueue=50000"] });
  const run = await takeRun(client, { ...small, mechanisms: ["mq_posix"], message_bytes: [8192] });
  const { json } = await client.get(`/api/v1/runs/${run.id}/trials`);
  assert.deepEqual([run.state, run.trials_failed], ["done", 0], json.trials[0].cause);
  assert.ok(json.trials[0].buffer_bytes >= 8192 && json.trials[0].buffer_bytes < 50000, String(json.trials[0].buffer_bytes));
  const asked = await takeRun(client, { ...small, mechanisms: ["mq_posix"], message_bytes: [8192], buffer_bytes: 81920 });
  assert.equal(asked.trials_failed, 1, "what was asked for is granted or refused");
});
