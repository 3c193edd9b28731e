/**
 * The real server, on a port and a directory of its own, for as long as one test lives.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { Client } from "./client.js";

export const build = process.env.IPCLAB_BUILD ?? fileURLToPath(new URL("../../../build", import.meta.url));
const stop_ms_max = 60000;

/** The smallest experiment that measures something. */
export const small = { mechanisms: ["pipe"], patterns: ["round_trip"], message_bytes: [64], trials: 1, duration_ms: 10, warmup_ms: 0 };
/** Long enough to be caught running; tests cancel it. */
export const long = { ...small, trials: 400, duration_ms: 100, name: "long" };

/**
 * @param {import("node:test").TestContext} t
 * @param {{data?: string, port?: number, wrap?: string[], programs?: string, first_run?: boolean}} [options]
 *   data: a directory that is kept afterwards; programs: the directory of the programs
 */
export async function startServer(t, { data, port = 0, wrap = [], programs = build, first_run = false } = {}) {
  const directory = data ?? (await mkdtemp(join(tmpdir(), "ipclab-api-")));
  const command = [...wrap, join(programs, "ipclab"), "serve", "--port", String(port), "--data", directory, ...(first_run ? [] : ["--no-first-run"])];
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  let log = "";
  child.stderr.on("data", (chunk) => { log += chunk; });
  const first = await Promise.race([once(createInterface({ input: child.stdout }), "line"), exited]);
  const address = /^ipclab: serving (http:\/\/127\.0\.0\.1:(\d+))\/ \(data /.exec(String(first[0]));
  assert.ok(address, `the server did not start: ${first[0]} ${log}`);

  let stopped = false;
  const server = {
    child,
    base: address[1],
    port: Number(address[2]),
    data: directory,
    client: new Client(Number(address[2])),
    /** Until it has written this: what it logs and what it answers come by two ways. @param {RegExp} text */
    async logged(text) {
      while (!text.test(log)) await once(child.stderr, "data");
    },
    /** Kills it, and answers when it is gone. */
    async crash() {
      stopped = true;
      child.kill("SIGKILL");
      await exited;
    },
    /** Asks it to stop and answers how it ended and how long that took. */
    async stop() {
      stopped = true;
      const begin = process.hrtime.bigint();
      child.kill("SIGTERM");
      const [status, signal] = await exited;
      return { status, signal, ms: Number(process.hrtime.bigint() - begin) / 1e6 };
    },
  };
  t.after(async () => {
    server.client.close();
    if (!stopped && child.exitCode === null && child.signalCode === null) {
      const timer = setTimeout(() => child.kill("SIGKILL"), stop_ms_max);
      const { status, signal } = await server.stop();
      clearTimeout(timer);
      assert.deepEqual([status, signal], [0, null], `the server did not stop cleanly: ${log}`);
    }
    if (!data) await rm(directory, { recursive: true, force: true });
  });
  return server;
}

/**
 * Waits, by the event stream, until the run is over or in the wanted state.
 * @param {Client} client
 * @param {number} id
 * @param {(run: any) => boolean} [holds]
 */
export async function waitForRun(client, id, holds = (run) => !["queued", "running", "interrupted"].includes(run.state)) {
  const stream = await client.stream(`run:${id}`);
  try {
    const { json: run } = await client.get(`/api/v1/runs/${id}`);
    if (holds(run)) return run;
    for (;;) {
      const { event, data } = await stream.next();
      if (event === "run" && holds(data)) return data;
    }
  } finally {
    stream.close();
  }
}

/** @param {Client} client @param {object} experiment */
export async function takeRun(client, experiment = small) {
  const { status, json } = await client.post("/api/v1/runs", experiment);
  assert.equal(status, 202);
  return waitForRun(client, json.id);
}
