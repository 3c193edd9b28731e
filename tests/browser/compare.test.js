import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { openPage, postRun, small_experiment, startServer, takeRun } from "./support.js";

const measured = { ...small_experiment, placement: "same_cpu", trials: 4 };

/**
 * @param {import("playwright-core").Page} page
 * @param {() => Promise<void>} act
 */
async function downloadOf(page, act) {
  const [download] = await Promise.all([page.waitForEvent("download"), act()]);
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
}

test("two runs are compared: verdicts, charts, tables, files, and all of it in the address", async (t) => {
  const server = await startServer(t);
  const base = await takeRun(server, { ...measured, name: "before" });
  const against = await takeRun(server, { ...measured, name: "after" });
  const page = await openPage(t, server.base);
  await page.goto(`/compare?base=${base.id}&against=${against.id}`);
  const forest = page.getByRole("region", { name: "Ratios" });
  const rows = forest.locator(".chart-point.row");
  await rows.first().waitFor();
  assert.equal(await rows.count(), 4, "two mechanisms, two patterns");

  await forest.locator('.row[tabindex="0"]').focus();
  const label = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
  const first = await label();
  assert.match(first, /×[\d.]+ \(.*\), (faster|slower|the same|inconclusive).*4 trials against 4/);
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await label(), first);
  await page.getByRole("tooltip").waitFor();
  await page.keyboard.press("Escape");

  await forest.getByText("The same as a table").click();
  assert.equal(await forest.getByRole("table").locator("tbody tr").count(), 4);
  await forest.getByText("How this is decided").click();
  await forest.getByText(/corrected for 4 cases \(Benjamini–Hochberg/).waitFor();

  await page.getByLabel("Cases").selectOption({ label: "stream, 64 KiB" });
  await page.waitForURL(/group=stream/);
  await forest.locator('.chart-plot[data-rows="2"]').waitFor();
  await page.getByLabel("Compared by").selectOption("messages_per_s");
  await page.waitForURL(/statistic=messages_per_s/);
  await forest.getByText("messages a second", { exact: false }).first().waitFor();

  await page.getByRole("form", { name: "Gate" }).getByRole("textbox").fill("5 %");
  await page.keyboard.press("Enter");
  await page.waitForURL(/max_slower=5/);
  await page.locator(".gate-told .chip", { hasText: "inconclusive" }).waitFor();
  await page.reload();
  await page.locator(".gate-told .chip", { hasText: "inconclusive" }).waitFor();
  assert.equal(await page.getByLabel("Compared by").inputValue(), "messages_per_s");

  const csv = await downloadOf(page, () => page.getByTitle("The verdicts as comma-separated values").click());
  assert.equal(csv.text.trim().split("\r\n").length, 5, "a head and four verdicts");
  const json = await downloadOf(page, () => page.getByRole("link", { name: "JSON" }).click());
  assert.equal(JSON.parse(json.text).base, base.id);
  const drawing = await downloadOf(page, () => forest.getByRole("button", { name: "This chart as SVG" }).click());
  assert.match(drawing.text, /^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  assert.doesNotMatch(drawing.text, /var\(--|style=/, "it needs no style sheet");
  const report = await downloadOf(page, () => page.getByRole("button", { name: "Download report" }).click());
  assert.match(report.text, /^<!DOCTYPE html>/);
  assert.doesNotMatch(report.text, /<script|<link|src=|@import/, "it asks for nothing");

  await page.locator("section.inside").scrollIntoViewIfNeeded();
  await page.locator("section.inside .chart-point").first().waitFor();
  await page.getByRole("link", { name: `make base: #${against.id}` }).click();
  await page.getByRole("heading", { level: 1, name: `#${base.id} against #${against.id}` }).waitFor();
});

test("runs that are chosen badly are told what is wrong with them", async (t) => {
  const server = await startServer(t);
  const base = await takeRun(server, {
    ...measured,
    trials: 2,
    mechanisms: ["pipe"],
    patterns: ["stream"],
    name: "a pair",
  });
  const same = await takeRun(server, {
    ...measured,
    trials: 2,
    mechanisms: ["pipe"],
    patterns: ["stream"],
    name: "a pair",
  });
  const other = await takeRun(server, { ...measured, trials: 2, mechanisms: ["fifo"], patterns: ["stream"] });
  const page = await openPage(t, server.base);

  await page.goto("/compare");
  await page.getByRole("link", { name: "Choose runs in the archive" }).waitFor();
  await page.getByRole("link", { name: `#${same.id} against #${base.id}` }).click();
  await page.locator(".chart-point.row").first().waitFor();

  await page.goto(`/compare?base=${base.id}&against=${other.id}`);
  await page.getByText("These runs have no case in common").waitFor();
  const differences = page.getByRole("table", { name: "What differs between the runs" });
  await differences.locator("tr", { hasText: "mechanisms" }).getByText("fifo").waitFor();

  const deleted = await fetch(`${server.base}/api/v1/runs/${other.id}`, {
    method: "DELETE",
    headers: { "Content-Type": "application/json" },
  });
  assert.equal(deleted.ok, true);
  await page.goto(`/compare?base=${base.id}&against=${same.id},${other.id},4000`);
  await page.getByText(`Run ${other.id} is left out`).waitFor();
  await page.getByText("Run 4000 is left out").waitFor();
  await page.locator(".chart-point.row").first().waitFor();
  await page.getByRole("button", { name: "Restore" }).click();
  await page.getByText(`Run ${other.id} is left out`).waitFor({ state: "detached" });

  const going = await postRun(server, { ...measured, trials: 500, mechanisms: ["pipe"], patterns: ["stream"] });
  await page.goto(`/compare?base=${base.id}&against=${going.id}`);
  await page.getByText(`Run ${going.id} goes on`).waitFor();
  await page.locator(".chart-point.row").first().waitFor();
  await fetch(`${server.base}/api/v1/runs/${going.id}/cancel`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
  });
  await page.getByText(`Run ${going.id} goes on`).waitFor({ state: "hidden" });
});

test("machines that do not compare can be looked at, and a gate will not decide", async (t) => {
  const server = await startServer(t);
  const base = await takeRun(server, { ...measured, trials: 2 });
  const against = await takeRun(server, { ...measured, trials: 2 });
  const page = await openPage(t, server.base);
  const elsewhere = "0".repeat(32);
  // The second run is told to be from another machine, as an imported one would be.
  await page.route(/\/api\/v1\/runs\/\d+$/, async (route) => {
    const answer = await route.fetch();
    const run = await answer.json();
    if (run.id === against.id) run.machine = { comparable: elsewhere, full: elsewhere };
    await route.fulfill({ response: answer, json: run });
  });
  await page.route(`**/api/v1/machines/${elsewhere}`, async (route) => {
    const answer = await route.fetch({ url: `${server.base}/api/v1/machine` });
    const machine = await answer.json();
    Object.assign(machine, { comparable: elsewhere, full: elsewhere });
    machine.facts.kernel = "Linux 1.0";
    await route.fulfill({ response: answer, json: machine });
  });
  await page.route("**/api/v1/compare?*", async (route) => {
    const answer = await route.fetch();
    const comparison = await answer.json();
    comparison.comparable = false;
    if (comparison.gate !== null) comparison.gate = "not_comparable";
    await route.fulfill({ response: answer, json: comparison });
  });
  await page.goto(`/compare?base=${base.id}&against=${against.id}&max_slower=5`);
  await page.getByText(/do not compare: the ratios below/).waitFor();
  await page.locator(".gate-told .chip", { hasText: "not comparable" }).waitFor();
  await page.locator(".chart-point.row").first().waitFor();
  const differences = page.getByRole("table", { name: "What differs between the runs" });
  await differences.locator("tr", { hasText: "kernel" }).getByText("Linux 1.0").waitFor();
});

test("an experiment taken again and again has a trend", async (t) => {
  const server = await startServer(t);
  const experiment = { ...measured, trials: 2, mechanisms: ["pipe"], name: "every night" };
  const first = await takeRun(server, experiment);
  const page = await openPage(t, server.base);
  await page.goto("/trends");
  await page.getByText("No experiment was taken twice").waitFor();
  const second = await takeRun(server, experiment);
  await page.reload();
  await page.getByRole("link", { name: "every night" }).click();
  await page.getByRole("heading", { level: 1, name: "every night" }).waitFor();
  const points = page.locator(".chart-point");
  await points.nth(1).waitFor();
  assert.equal(await points.count(), 2);
  await page.getByText("No case moved to another level so far").waitFor();
  await page.getByLabel("Case").selectOption({ label: "stream, 64 KiB" });
  await page.waitForURL(/group=stream/);
  await takeRun(server, experiment);
  await points.nth(2).waitFor();

  await page.locator('.chart-point[tabindex="0"]').focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.waitForURL(new RegExp(`/runs/${second.id}$`));
  await page.goto(`/runs/${first.id}`);
  await page.getByRole("link", { name: "Trend", exact: true }).and(page.locator(".run-head a")).click();
  await page.getByRole("heading", { level: 1, name: "every night" }).waitFor();
});
