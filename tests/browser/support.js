/**
 * A browser that looks at a real server. It is CHROMIUM, by default Debian's, one for a file of tests: each test has a
 * profile of its own in it, and that ends with the test.
 */

import assert from "node:assert/strict";
import { after } from "node:test";
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

/** @type {Promise<import("playwright-core").Browser>|null} */
let browser = null;
const theBrowser = () => (browser ??= chromium.launch({ executablePath: browser_program, args: browser_arguments }));
after(async () => (await browser)?.close());

/**
 * A page in a fresh profile. Whatever the page reports as an error fails the test, a broken connection excepted.
 * @param {{after: Function}} test
 * @param {string} base
 * @param {{dark?: boolean, width?: number}} [options]
 */
export async function openPage(test, base, { dark = false, width = 1280 } = {}) {
  const context = await (await theBrowser()).newContext({
    baseURL: base,
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
    viewport: { width, height: 900 },
  });
  const page = await context.newPage();
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
