import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage, startServer } from "./support.js";

const hostile = '<img src=x onerror="document.title=1">';

/**
 * @param {import("playwright-core").Page} page
 * @param {Record<string, string>} texts  label → value
 * @param {string[]} mechanisms  titles
 */
async function fillIn(page, texts, mechanisms) {
  await page.getByRole("link", { name: /Own experiment/ }).click();
  const dialog = page.getByRole("dialog", { name: "Own experiment" });
  await dialog.waitFor();
  await dialog.getByRole("button", { name: "None" }).click();
  for (const title of mechanisms) await dialog.getByRole("checkbox", { name: title, exact: true }).check();
  for (const [label, text] of Object.entries(texts)) await dialog.getByLabel(label, { exact: true }).fill(text);
  return dialog;
}

test("an experiment of one's own fills its page with figures while it goes on", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/");
  const dialog = await fillIn(
    page,
    {
      Name: hostile,
      "Trials of each case": "3",
      "Duration (ms)": "30",
      "Warm-up (ms)": "5",
      "Sizes, round trip": "64, 1 KiB",
      Tags: "<b>bold</b>, plain",
      Note: hostile,
    },
    ["Pipe", "FIFO"],
  );
  await dialog.getByText("Run this from a shell").click();
  assert.match((await dialog.locator("pre").textContent()) ?? "", /"trials":3/);
  await dialog.getByRole("button", { name: "Start" }).click();

  await page.waitForURL(/\/runs\/\d+$/);
  assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), hostile);
  assert.match(await page.title(), /<img/);
  await page.getByText("<b>bold</b>", { exact: true }).waitFor();
  await page.locator(".case-table .value").first().waitFor();
  await page.getByText("done", { exact: true }).waitFor();

  assert.equal(
    await page.locator(".case-table tbody tr").count(),
    6,
    "two sizes of round trips and one of streams, for two mechanisms",
  );
  await page.locator(".chart-series").first().waitFor();
  assert.equal(await page.locator("img").count(), 0, "what a user wrote never becomes markup");
  await page.goto("/runs");
  await page.getByRole("link", { name: hostile }).waitFor();
  assert.equal(await page.locator("img").count(), 0);
});

test("a run that goes on is stopped on its page, and its trials are kept", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/");
  const dialog = await fillIn(page, { "Trials of each case": "200", "Duration (ms)": "50", "Warm-up (ms)": "5" }, [
    "Pipe",
  ]);
  await dialog.getByRole("button", { name: "Start" }).click();
  await page.waitForURL(/\/runs\/\d+$/);
  await page.locator(".case-table .value").first().waitFor();
  await page.getByRole("button", { name: /^Stop/ }).click();
  await page.getByText("stopped", { exact: true }).first().waitFor();
  assert.ok((await page.locator(".case-table .value").count()) > 0);
});

test("what the server refuses is said at the field, and the first one has the focus", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/");
  const dialog = await fillIn(page, { "Trials of each case": "0", "Sizes, stream": "huge" }, ["Pipe"]);
  await dialog.getByRole("button", { name: "Start" }).click();

  const trials = dialog.getByLabel("Trials of each case", { exact: true });
  await page.locator('#field-trials[aria-invalid="true"]').waitFor();
  assert.match((await page.locator("#field-trials-error").textContent()) ?? "", /1 to 1000/);
  assert.notEqual(await page.locator("#field-message_bytes-stream-error").textContent(), "");
  assert.equal(
    await page.locator('[id="field-message_bytes-stream"]').evaluate((element) => element === document.activeElement),
    true,
    "sizes stand before trials",
  );
  assert.match((await trials.getAttribute("aria-describedby")) ?? "", /field-trials-error/);

  await trials.fill("1");
  await dialog.getByLabel("Sizes, stream", { exact: true }).fill("4 KiB");
  await dialog.getByLabel("Duration (ms)", { exact: true }).fill("20");
  await dialog.getByRole("button", { name: "Start" }).click();
  await page.waitForURL(/\/runs\/\d+$/);
});
