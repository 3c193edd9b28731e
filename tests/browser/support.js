/**
 * A browser that looks at a real server, and ends with the test. It is CHROMIUM, by default Debian's.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

import { startServer, takeRun as takeRunOf } from "../api/support/server.js";

export { startServer };

/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */

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

const patience_ms = 60_000;

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
 */
export async function postRun({ client }, experiment) {
  const { status, json } = await client.post("/api/v1/runs", experiment);
  assert.equal(status, 202, JSON.stringify(json));
  return json;
}

/** Takes a run to its end. @param {Server} server @param {object} experiment */
export const takeRun = ({ client }, experiment) => takeRunOf(client, experiment);
