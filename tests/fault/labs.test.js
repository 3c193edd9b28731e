/**
 * What goes wrong in labs and claims: a process that is killed, hangs, crashes, floods or talks nonsense. The attempt
 * ends and says so, the server goes on, and nothing stays behind.
 */
import assert from "node:assert/strict";
import { chmod, copyFile, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";

import { postAttempt, quick, takeAttempt, waitForAttempt, waitForCheck } from "../api/support/labs.js";
import { build, startServer } from "../api/support/server.js";
import { childrenOf, processesOf } from "../labs/support.js";
import { residue, workerProcesses } from "./support.js";

const gone_ms_max = 60000;
/** Goes on until something is typed. */
const endless = { parameters: { typing: "live" } };

/**
 * The programs in a directory of this test's own, so that its processes are told from those of others; with a worker
 * that stands in for the real one if there is a script.
 * @param {import("node:test").TestContext} t
 * @param {string} [script]
 */
async function copyPrograms(t, script) {
  const directory = await mkdtemp(join(tmpdir(), "ipclab-programs-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const worker = join(directory, "ipclab-worker");
  await copyFile(join(build, "ipclab"), join(directory, "ipclab"));
  if (script === undefined) await copyFile(join(build, "ipclab-worker"), worker);
  else {
    await symlink(resolve(build, "ipclab-worker"), join(directory, "real"));
    await writeFile(worker, `#!/bin/sh\nreal=${join(directory, "real")}\n${script}`);
    await chmod(worker, 0o755);
  }
  return directory;
}

/** @param {string} programs */
async function assertGone(programs) {
  const deadline = Date.now() + gone_ms_max;
  /** @type {number[]} */
  let left = [];
  do left = await workerProcesses(programs);
  while (left.length > 0 && Date.now() < deadline);
  assert.deepEqual(left, []);
}

/** What a stand-in does instead of the lab pipe_gauge, by the parameter chunk_bytes. */
const misdeeds = [
  { does: "crashes", shell: "kill -SEGV $$", message: /killed by signal 11/ },
  { does: "ends badly", shell: "exit 3", message: /status 3/ },
  { does: "says nothing", shell: "exit 0", message: /without a result/ },
  { does: "talks nonsense", shell: "echo 'Segmentation fault (core dumped)'; exec sleep 60", message: /no JSON/ },
  { does: "says what no lab says", shell: `echo '{"type":"lottery","numbers":[1]}'; exec sleep 60`, message: /type "lottery"/ },
  { does: "floods", shell: `exec yes '{"type":"state","worker":"w","at_ns":1,"state":"running","cause":null}'`, message: /more than 16 MiB/ },
  { does: "refuses", shell: `echo '{"type":"refused","errors":[{"pointer":"/parameters/x","detail":"too much of it"}]}'; exit 2`, message: /\/parameters\/x: too much of it/ },
];

/** Only the first lab, which hangs, has a deadline that is ever met. */
const stand_in = `
case $1 in
  labs) "$real" labs | sed 's/"duration_ms_max":[0-9]*/"duration_ms_max":600000/g; s/"duration_ms_max":600000/"duration_ms_max":1/'; exit ;;
  lab) case $2 in shm_alone|fifo_session) exec sleep 60 ;; esac ;;
  claim) read -r request; [ "$2" = 38 ] && { echo nonsense; exec sleep 60; }; exit 0 ;;
  *) exec "$real" "$@" ;;
esac
read -r request
case $request in
${misdeeds.map(({ shell }, i) => `  *'"chunk_bytes":${i + 1},'*) ${shell} ;;`).join("\n")}
  *) head -c 70000 /dev/zero | tr '\\0' x; echo; echo '{"type":"result","outcome":null,"evidence":{"slots":3},"skipped":{"call":"fcntl","errno":"EPERM","what":"pipe_max_size"}}' ;;
esac
`;

test("a lab that misbehaves ends as failed with its cause, and the server goes on", async (t) => {
  const programs = await copyPrograms(t, stand_in);
  const { client } = await startServer(t, { programs });
  const hanging = await postAttempt(client, "shm_alone", { prediction: { answer: "gone" } });
  const asked = [];
  for (const i of misdeeds.keys()) asked.push(await postAttempt(client, "pipe_gauge", { parameters: { chunk_bytes: i + 1 }, prediction: { answer: 1 } }));
  for (const [i, { does, message }] of misdeeds.entries()) {
    const attempt = await waitForAttempt(client, asked[i].id);
    assert.deepEqual([attempt.state, attempt.outcome, attempt.agrees], ["failed", null, null], does);
    assert.match(attempt.message, message, does);
    if (does === "floods") assert.ok(attempt.cut_lines > 0, "and only a part of it is kept");
  }
  const hung = await waitForAttempt(client, hanging.id);
  assert.deepEqual([hung.state, hung.outcome, hung.agrees], ["failed", null, null]);
  assert.match(hung.message, /deadline/);
  const skipped = await takeAttempt(client, "pipe_gauge", { parameters: { chunk_bytes: 4096 }, prediction: { answer: 1 } });
  assert.deepEqual([skipped.state, skipped.outcome, skipped.agrees], ["done", null, null], "a refused privilege is no failure");
  assert.deepEqual(skipped.evidence, { slots: 3, skipped: { call: "fcntl", errno: "EPERM", what: "pipe_max_size" } });
  assert.deepEqual([skipped.skipped.call, skipped.skipped.errno], ["fcntl", "EPERM"]);
  assert.match(skipped.skipped.what, /pipe-max-size/, "what to change, in words");
  assert.equal(skipped.cut_lines, 1, "a line that is too long is left out and counted");

  const deaf = await postAttempt(client, "fifo_session");
  await waitForAttempt(client, deaf.id, (one) => one.state === "running");
  let sent = { status: 204, headers: /** @type {any} */ ({}) };
  for (let i = 0; i < 2000 && sent.status === 204; i++) sent = await client.post(`/api/v1/attempts/${deaf.id}/input`, { terminal: "writer", text: "x".repeat(1000) });
  assert.deepEqual([sent.status, Number(sent.headers["retry-after"]) > 0], [429, true], "input that is not read is not piled up");
  await client.post(`/api/v1/attempts/${deaf.id}/cancel`);
  assert.equal((await waitForAttempt(client, deaf.id)).state, "cancelled");
  for (const [claim, message] of /** @type {[number, RegExp][]} */ ([[38, /no JSON/], [39, /without a verdict/]])) {
    const check = await waitForCheck(client, (await client.post(`/api/v1/claims/${claim}/checks`)).json.id);
    assert.deepEqual([check.state, check.verdict], ["failed", null]);
    assert.match(check.message, message);
  }
  const { json: health } = await client.get("/healthz");
  assert.equal(health.status, "ok");
});

for (const victim of ["program", "keeper", "leader", "worker"])
  test(`a lab whose ${victim} is killed ends, says so, and leaves nothing`, async (t) => {
    const before = await residue();
    const programs = await copyPrograms(t);
    const { client, child } = await startServer(t, { programs });
    const { id } = await postAttempt(client, "fifo_session", endless);
    const running = await waitForAttempt(client, id, (one) => one.workers.length > 0 && one.timeline.length > 0);
    const [program] = await childrenOf(child.pid);
    const { keeper, leader, workers: [worker] } = await processesOf(program);
    const pid = { program, keeper, leader, worker }[victim];
    assert.ok(pid);
    process.kill(pid, "SIGKILL");
    const attempt = await waitForAttempt(client, id);
    if (victim === "worker") assert.deepEqual([attempt.state, attempt.explanation_key], ["done", "killed"], attempt.message);
    else {
      assert.equal(attempt.state, "failed");
      assert.match(attempt.message, victim === "program" ? /killed by signal 9/ : /leader of the lab was killed/);
    }
    assert.ok(attempt.timeline.length >= running.timeline.length, "what was seen until then is kept");
    await assertGone(programs);
    assert.deepEqual((await residue()).filter((one) => !before.includes(one)), []);
  });

test("kill -9 of the server: what was going on has failed, what was queued is done by the next", async (t) => {
  const before = await residue();
  const programs = await copyPrograms(t);
  const data = await mkdtemp(join(tmpdir(), "ipclab-crash-"));
  t.after(() => rm(data, { recursive: true, force: true }));
  const first = await startServer(t, { data, programs });
  const running = [];
  for (let i = 0; i < 4; i++) running.push((await postAttempt(first.client, "fifo_session", endless)).id);
  for (const id of running) await waitForAttempt(first.client, id, (one) => one.workers.length > 0);
  const queued = await postAttempt(first.client, "pipe_gauge", { parameters: quick, prediction: { answer: 65536 } });
  await first.crash();
  await assertGone(programs);

  const second = await startServer(t, { data, programs });
  for (const id of running) {
    const { json } = await second.client.get(`/api/v1/attempts/${id}`);
    assert.equal(json.state, "failed");
    assert.match(json.message, /the server ended/);
    assert.ok(json.finished_ms >= json.started_ms);
  }
  const attempt = await waitForAttempt(second.client, queued.id);
  assert.deepEqual([attempt.uid, attempt.state, attempt.agrees], [queued.uid, "done", true]);

  const { id } = await postAttempt(second.client, "fifo_session", endless);
  await waitForAttempt(second.client, id, (one) => one.workers.length > 0);
  assert.equal((await second.stop()).status, 0);
  await assertGone(programs);
  const third = await startServer(t, { data, programs });
  const { json: stopped } = await third.client.get(`/api/v1/attempts/${id}`);
  assert.deepEqual([stopped.state, stopped.message], ["failed", "the server was stopped"]);
  assert.ok(stopped.workers.length > 0, "with what was seen until then");
  assert.deepEqual((await residue()).filter((one) => !before.includes(one)), []);
});
