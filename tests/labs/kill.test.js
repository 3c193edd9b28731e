/** A kill -9 of any process of a lab, at a moment in which something blocks, leaves nothing. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { leftBy, processesOf, startLab, takeLab, waitForEnd } from "./support.js";

/** @typedef {import("./support.js").Parameters} Parameters */

/** Labs that go on for a while. @type {[string, Parameters][]} */
const lasting = [
  ["shm_server", { poll_ms: 1000 }],
  ["lost_update", { lock: "semaphore", increments: 10000, processes: 4 }],
  ["pipe_stdio", {}],
  ["pipe_gauge", { delay_ms: 2000 }],
  ["fifo_session", {}],
  ["backlog", { delay_ms: 2000 }],
  ["fastest", { wait: "semaphore" }],
];

/** @param {import("node:test").TestContext} t */
async function scratch(t) {
  const directory = await mkdtemp(join(tmpdir(), "labs-"));
  await chmod(directory, 0o1777);
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** @param {string} name @param {Parameters} parameters @param {import("./support.js").Options} options */
async function startLasting(name, parameters, options) {
  const lab = startLab(name, parameters, options);
  await lab.seen((line) => line.type === "call");
  return { lab, processes: await processesOf(/** @type {number} */ (lab.child.pid)) };
}

for (const uncaged of [false, true])
  describe(`killed labs${uncaged ? " without namespaces" : ""}`, { concurrency: 4 }, () => {
    for (const [name, parameters] of lasting) {
      for (const which of /** @type {const} */ (["program", "keeper", "leader"]))
        test(`${name}: the ${which}`, async (t) => {
          const tmp = await scratch(t);
          const { lab, processes } = await startLasting(name, parameters, { uncaged, tmp });
          const all = [processes.program, processes.keeper, processes.leader, ...processes.workers];
          process.kill(processes[which], "SIGKILL");
          const { status, result, lines } = await lab.ended;
          assert.notEqual(status, 0);
          assert.equal(result?.outcome ?? null, null);
          if (which !== "program") assert.equal(lines.at(-1).type, "failed");
          await waitForEnd(all);
          // Without namespaces and without the program that would sweep, the next lab does.
          if (uncaged && which === "program") await takeLab("pipe_ends", {}, { uncaged, tmp });
          assert.deepEqual(await leftBy(all, tmp), []);
        });

      test(`${name}: a worker`, async (t) => {
        const tmp = await scratch(t);
        const { lab, processes } = await startLasting(name, parameters, { uncaged, tmp });
        const all = [processes.program, processes.keeper, processes.leader, ...processes.workers];
        process.kill(processes.workers[0], "SIGKILL");
        const { status, result, lines } = await lab.ended;
        assert.equal(status, 0);
        assert.equal(result.explanation, "killed");
        assert.equal(result.outcome, null);
        assert.ok(lines.some((line) => line.state === "ended" && line.cause === "SIGKILL" && line.worker === result.evidence.killed_worker));
        await waitForEnd(all);
        assert.deepEqual(await leftBy(all, tmp), []);
      });
    }
  });
