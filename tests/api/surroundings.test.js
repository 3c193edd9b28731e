/**
 * The server where things are not as they mostly are.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { startServer, takeRun } from "./support/server.js";

test("a server that was started with SIGCHLD ignored sees how its children end all the same", async (t) => {
  const { client } = await startServer(t, { wrap: ["env", "--ignore-signal=CHLD"] });
  const run = await takeRun(client);
  assert.deepEqual([run.state, run.trials_failed], ["done", 0]);
});
