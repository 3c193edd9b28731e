/**
 * A real server on a free port with an archive of its own, and a browser to look at it. Both end with the test.
 * The programs come from IPCLAB_BUILD, by default ../build; the browser is CHROMIUM, by default Debian's.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const program = join(resolve(process.env.IPCLAB_BUILD ?? join(here, "../../build")), "ipclab");
const browser_program = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser_arguments = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const patience_ms = 60_000;

/**
 * @typedef {{after: (end: () => Promise<void>) => void}} Test  the part of node:test's context that is needed
 * @typedef {{base: string, port: number, data: string, stop: () => Promise<number|null>}} Server
 */

/**
 * @param {{after: Function}} test
 * @param {{first_run?: boolean, port?: number, data?: string}} [options]
 * @returns {Promise<Server>}
 */
export async function startServer(test, { first_run = false, port = 0, data } = {}) {
  assert.ok(existsSync(program), `${program} is missing: run make first, or set IPCLAB_BUILD`);
  const directory = data ?? (await mkdtemp(join(tmpdir(), "ipclab-browser-")));
  const options = ["serve", "--port", String(port), "--data", directory, ...(first_run ? [] : ["--no-first-run"])];
  const child = spawn(program, options, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    log += text;
  });
  /** @type {Promise<number|null>} */
  const ended = new Promise((done) => child.once("exit", (code) => done(code)));
  const stop = () => {
    child.kill("SIGTERM");
    return ended;
  };
  test.after(async () => {
    await stop();
    if (!data) await rm(directory, { recursive: true, force: true });
  });
  const line = await Promise.race([
    new Promise((done) => createInterface({ input: child.stdout }).once("line", done)),
    ended.then((code) => Promise.reject(new Error(`the server ended with ${code} before it was ready:\n${log}`))),
  ]);
  const address = /^ipclab: serving (http:\/\/127\.0\.0\.1:(\d+))\/ /.exec(line);
  assert.ok(address, `the first line names the address, got: ${line}`);
  return { base: address[1], port: Number(address[2]), data: directory, stop };
}

/**
 * A page in a fresh profile. Whatever the page reports as an error fails the test, a broken connection excepted.
 * @param {{after: Function}} test
 * @param {string} base
 * @param {{dark?: boolean, width?: number}} [options]
 */
export async function openPage(test, base, { dark = false, width = 1280 } = {}) {
  const profile = await mkdtemp(join(tmpdir(), "ipclab-profile-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: browser_program,
    args: browser_arguments,
    baseURL: base,
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
    viewport: { width, height: 900 },
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(patience_ms);
  /** @type {string[]} */
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource|net::ERR_/.test(message.text()))
      faults.push(message.text());
  });
  test.after(async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
    assert.deepEqual(faults, [], "the page reported errors");
  });
  return page;
}

/** Small enough to be taken in a second, large enough to have figures. */
export const small_experiment = {
  mechanisms: ["shm_sysv", "pipe"],
  patterns: ["round_trip", "stream"],
  trials: 2,
  duration_ms: 20,
  warmup_ms: 5,
};

/**
 * Starts a run through the API.
 * @param {Server} server
 * @param {object} experiment
 * @returns {Promise<any>}
 */
export async function postRun({ base }, experiment) {
  const response = await fetch(`${base}/api/v1/runs`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(experiment),
  });
  const body = await response.json();
  assert.equal(response.status, 202, JSON.stringify(body));
  return body;
}

/**
 * Takes a run to its end, told by the server's own events.
 * @param {Server} server
 * @param {object} experiment
 * @returns {Promise<any>}  the run as it ended
 */
export async function takeRun(server, experiment) {
  const stopped = new AbortController();
  const stream = await fetch(`${server.base}/api/v1/events?topics=runs`, { signal: stopped.signal });
  const { id } = await postRun(server, experiment);
  let text = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of /** @type {AsyncIterable<Uint8Array>} */ (/** @type {unknown} */ (stream.body))) {
      text += decoder.decode(chunk, { stream: true });
      for (;;) {
        const end = text.indexOf("\n\n");
        if (end < 0) break;
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        if (!/^event: run$/m.test(event)) continue;
        const run = JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? "null");
        if (run?.id === id && ["done", "failed", "cancelled"].includes(run.state)) return run;
      }
    }
  } finally {
    stopped.abort();
  }
  throw new Error(`the event stream ended before run ${id} did`);
}
