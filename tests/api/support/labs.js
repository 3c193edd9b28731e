/**
 * Attempts at labs and checks of claims, as a client follows them.
 */
import assert from "node:assert/strict";

import { small, waitForRun } from "./server.js";

/** @typedef {import("./client.js").Client} Client */

const isOver = (/** @type {any} */ one) => !["queued", "running"].includes(one.state);

/**
 * Waits, by the event stream, until an attempt or a check is over or as wanted, and reads it.
 * @param {Client} client
 * @param {"attempt"|"check"} subject
 * @param {number} id
 * @param {(one: any) => boolean} [holds]
 */
async function waitFor(client, subject, id, holds = isOver) {
  const path = `/api/v1/${subject}s/${id}`;
  const stream = await client.stream(`${subject}:${id}`);
  try {
    for (;;) {
      const { json } = await client.get(path);
      if (holds(json)) return json;
      await stream.next();
    }
  } finally {
    stream.close();
  }
}

/** @param {Client} client @param {number} id @param {(attempt: any) => boolean} [holds] */
export const waitForAttempt = (client, id, holds) => waitFor(client, "attempt", id, holds);

/** @param {Client} client @param {number} id @param {(check: any) => boolean} [holds] */
export const waitForCheck = (client, id, holds) => waitFor(client, "check", id, holds);

/**
 * @param {Client} client
 * @param {string} lab
 * @param {object} [request]
 */
export async function postAttempt(client, lab, request = {}) {
  const { status, json } = await client.post(`/api/v1/labs/${lab}/attempts`, request);
  assert.equal(status, 202, JSON.stringify(json));
  return json;
}

/** An attempt from asking to its end. @param {Client} client @param {string} lab @param {object} [request] */
export async function takeAttempt(client, lab, request = {}) {
  return waitForAttempt(client, (await postAttempt(client, lab, request)).id);
}

/**
 * Asks while a trial is being timed. Who comes too late for a short one finds a longer one.
 * @template T
 * @param {Client} client @param {number} trials @param {(run: any) => Promise<T>} ask
 * @returns {Promise<{run: number, asked: T}>}
 */
export async function askBesideTrial(client, trials, ask) {
  for (let duration_ms = 300; ; duration_ms *= 4) {
    const { json: queued } = await client.post("/api/v1/runs", { ...small, trials, duration_ms });
    const { current } = await waitForRun(client, queued.id, (run) => run.current !== null || run.state === "done");
    const asked = await ask(queued);
    const { json: run } = await client.get(`/api/v1/runs/${queued.id}`);
    if (current && run.current?.sequence === current.sequence) return { run: run.id, asked };
  }
}

/** The gauge without its pause: the quickest attempt there is. */
export const quick = { delay_ms: 0 };
