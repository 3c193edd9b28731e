/** Answers and events come on different connections. However late one of them is, the page ends up with what is so. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage, postRun, small_experiment, startServer, takeRun } from "./support.js";

/** @typedef {import("playwright-core").Page} Page */

const tiny = { ...small_experiment, mechanisms: ["pipe"], patterns: ["stream"] };

/**
 * Keeps the first answer to a request back until it is let go.
 * @param {Page} page
 * @param {RegExp} address
 * @param {string} [method]
 */
async function holdFirst(page, address, method = "GET") {
  /** @type {() => void} */
  let letGo = () => {};
  /** @type {() => void} */
  let tell = () => {};
  const held = new Promise((settle, fail) => {
    tell = () => settle(undefined);
    setTimeout(() => fail(new Error(`The page never asked for ${address}`)), 60000).unref();
  });
  const free = new Promise((settle) => (letGo = () => settle(undefined)));
  let first = true;
  await page.route(address, async (route) => {
    if (!first || route.request().method() !== method) return route.fallback();
    first = false;
    const answer = await route.fetch();
    tell();
    await free;
    return route.fulfill({ response: answer });
  });
  return { held, letGo };
}

/** What has come in is drawn. @param {Page} page */
const settle = (page) =>
  page.evaluate(() => new Promise((drawn) => window.requestAnimationFrame(() => window.requestAnimationFrame(drawn))));

test("a run that was heard of before the list without it came is listed", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  const list = await holdFirst(page, /\/api\/v1\/runs\?/);
  await page.goto("/runs");
  await list.held;
  await takeRun(server, { ...tiny, name: "overtook the list" });
  await settle(page);
  list.letGo();
  await page.getByRole("link", { name: "overtook the list" }).waitFor();
});

test("a run that is deleted while a list with it is on its way stays deleted until it is restored", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, { ...tiny, name: "gone before" });
  const page = await openPage(t, server.base);
  await page.goto("/runs");
  const row = page.getByRole("link", { name: "gone before" });
  await row.waitFor();
  const list = await holdFirst(page, /\/api\/v1\/runs\?.*q=gone/);
  await page.getByLabel("Search").fill("gone");
  await list.held;
  assert.equal((await server.client.request("DELETE", `/api/v1/runs/${run.id}`)).status, 204);
  await row.waitFor({ state: "detached" });
  list.letGo();
  await page.getByText("No run matches.").waitFor();
  assert.equal(await row.count(), 0);
  await server.client.post(`/api/v1/runs/${run.id}/restore`);
  await row.waitFor();
});

test("a run that is deleted while its own page is on its way is said to be so", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, tiny);
  const page = await openPage(t, server.base);
  const whole = await holdFirst(page, new RegExp(`/api/v1/runs/${run.id}$`));
  await page.goto(`/runs/${run.id}`);
  await whole.held;
  await server.client.request("DELETE", `/api/v1/runs/${run.id}`);
  await page.getByText("This run was deleted.").waitFor();
  whole.letGo();
  await page.getByRole("button", { name: "Restore" }).click();
  await page.getByRole("button", { name: "Edit name, tags and note" }).waitFor();
});

test("a run that ends while its trend is on its way is a point of it", async (t) => {
  const server = await startServer(t);
  const experiment = { ...tiny, name: "again and again" };
  const first = await takeRun(server, experiment);
  await takeRun(server, experiment);
  const page = await openPage(t, server.base);
  const trend = await holdFirst(page, /\/api\/v1\/trends\?/);
  await page.goto(`/trends?${new URLSearchParams({ experiment: first.experiment_hash, machine: first.machine.full })}`);
  await trend.held;
  await takeRun(server, experiment);
  await settle(page);
  trend.letGo();
  await page.locator(".chart-point").nth(2).waitFor();
});

test("whoever goes on by keyboard before the server has answered stays where they are", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  const post = await holdFirst(page, /\/api\/v1\/runs$/, "POST");
  await page.goto("/");
  await page.getByRole("button", { name: "Start", exact: true, disabled: false }).press("Enter");
  await post.held;
  const own = page.getByRole("link", { name: /Own experiment/ });
  await own.focus();
  const answered = page.waitForResponse((response) => response.request().method() === "POST");
  post.letGo();
  await answered;
  await page.locator("button[type=submit]:enabled", { hasText: "Add to the queue" }).waitFor();
  assert.ok(await own.evaluate((element) => element === document.activeElement));
  await page.getByRole("button", { name: /^Stop/ }).click();
});

test("a link of a run stays the same while trial after trial comes in", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  const run = await postRun(server, { ...tiny, trials: 1000, duration_ms: 50, tags: ["to be pressed"] });
  await page.goto("/runs");
  const tag = await page.getByRole("link", { name: "to be pressed" }).elementHandle();
  const trials = page.locator("table.runs tbody td.number").last();
  const before = await trials.textContent();
  await page.waitForFunction(
    ([element, text]) => /** @type {any} */ (element)?.textContent !== text,
    [await trials.elementHandle(), before],
  );
  assert.ok(await tag?.evaluate((element) => element.isConnected));
  await server.client.post(`/api/v1/runs/${run.id}/cancel`);
});

test("what is typed into two fields in one go is searched for by both", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/runs");
  await page.getByText("No run has been taken yet.").waitFor();
  await page.evaluate(() => {
    for (const [name, text] of [["q", "words"], ["tag", "mains"]]) {
      const field = /** @type {HTMLInputElement} */ (document.querySelector(`.archive-filters [name=${name}]`));
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
  await page.waitForURL(/q=words.*tag=mains|tag=mains.*q=words/);
});

test("an attempt's place in the list outlives an older list that comes later", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  const list = await holdFirst(page, /\/attempts\?/);
  await page.goto("/labs/pipe_gauge");
  await list.held;
  await page.locator("#prediction").fill("65536");
  await page.getByRole("button", { name: "Lock in and run" }).click();
  const row = page.getByRole("table", { name: "Attempts" }).getByRole("link");
  await row.waitFor();
  const late = page.waitForResponse(/\/attempts\?/);
  list.letGo();
  await (await late).finished();
  await settle(page);
  assert.equal(await row.count(), 1);
});

test("an attempt that goes on is not put back into the queue by a late answer", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/labs/fifo_session?typing=live");
  await page.locator(".lab-predict input[type=radio], #prediction").first().waitFor();
  await page.getByRole("button", { name: "Run without predicting" }).click();
  const status = page.locator(".lab-status .chip");
  await status.getByText("running").waitFor();

  // The stream is opened anew, and what the page asks for then was answered before the attempt began.
  const address = /\/api\/v1\/attempts\/\d+$/;
  await page.route(address, async (route) => {
    const answer = await route.fetch();
    const attempt = await answer.json();
    await route.fulfill({ response: answer, json: attempt.state === "running" ? { ...attempt, state: "queued" } : attempt });
  });
  const late = page.waitForResponse(address);
  await page.evaluate(() => {
    for (const value of [true, false]) {
      Object.defineProperty(document, "hidden", { value, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }
  });
  await (await late).finished();
  await settle(page);
  assert.equal(await status.textContent(), "running");
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByText("The attempt was stopped").waitFor();
});
