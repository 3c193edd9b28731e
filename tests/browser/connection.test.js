import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage, postRun, small_experiment, startServer } from "./support.js";

test("a lost connection is told; when the server is back, so is the page", async (t) => {
  const first = await startServer(t);
  const page = await openPage(t, first.base);
  await page.goto("/runs");
  await page.getByText("No run has been taken yet.").waitFor();
  const { status } = await first.stop();
  assert.equal(status, 0);
  await page.getByRole("alert").getByText("connection to the server is lost").waitFor();

  // While nobody answers, the button stays for as long as it takes to press it.
  const [asked] = await Promise.all([
    page.waitForRequest(/\/api\/v1\/events/),
    page.getByRole("button", { name: "Try now" }).click(),
  ]);
  assert.equal(asked.method(), "GET");

  const second = await startServer(t, { port: first.port });
  await postRun(second, { ...small_experiment, name: "after the gap" });
  await page.getByRole("link", { name: "after the gap" }).waitFor();
  await page.getByRole("alert").getByText("connection to the server is lost").waitFor({ state: "hidden" });
});

test("that the server is gone is in sight on a phone, where it was scrolled to and where it was asked", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base, { width: 390 });
  await page.goto("/labs/shm_alone");
  const run = page.getByRole("button", { name: "Run without predicting" });
  await run.scrollIntoViewIfNeeded();
  await server.stop();
  await page.getByRole("alert").getByText("connection to the server is lost").waitFor();
  await run.click();
  await page.getByRole("alert").getByText("No answer from the server").waitFor();
  const out_of_sight = await page.evaluate(() =>
    [...document.querySelectorAll("[role=alert]:not([hidden])")]
      .filter((one) => one.getBoundingClientRect().top < 0 || one.getBoundingClientRect().bottom > window.innerHeight)
      .map((one) => one.textContent),
  );
  assert.deepEqual(out_of_sight, []);
});

test("a hidden tab gives its stream back and catches up when it is seen again", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  let streams = 0;
  page.on("request", (request) => {
    streams += Number(request.url().includes("/api/v1/events"));
  });
  await page.goto("/runs");
  await page.getByText("No run has been taken yet.").waitFor();
  assert.equal(streams, 1);

  /** @param {boolean} hidden */
  const pretend = (hidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { value, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  const given_back = page.waitForEvent("requestfailed", (request) => request.url().includes("/api/v1/events"));
  await pretend(true);
  await given_back;
  await postRun(server, { ...small_experiment, name: "while hidden" });
  await pretend(false);
  await page.getByRole("link", { name: "while hidden" }).waitFor();
  assert.equal(streams, 2);
});
