import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage, small_experiment, startServer, takeRun } from "./support.js";

test("rates asked for in the form become a chart of latency under load, by keyboard and as a table", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/?own");
  const dialog = page.getByRole("dialog", { name: "Own experiment" });
  await dialog.getByRole("button", { name: "None" }).click();
  await dialog.getByRole("checkbox", { name: "Pipe", exact: true }).check();
  await dialog.getByRole("checkbox", { name: "round trip" }).uncheck();
  await dialog.getByRole("checkbox", { name: "stream", exact: true }).uncheck();
  assert.ok(await dialog.getByLabel("Rates, paced").isHidden());
  await dialog.getByRole("checkbox", { name: "paced" }).check();
  const rates = dialog.getByLabel("Rates, paced");
  await rates.fill("fast");
  await dialog.getByText("Not a rate: fast").waitFor();
  // No machine reaches the last of them through a pipe.
  await rates.fill("500, 10M");
  await dialog.getByLabel("Trials of each case", { exact: true }).fill("2");
  await dialog.getByLabel("Duration (ms)", { exact: true }).fill("200");
  await dialog.getByRole("button", { name: "Start" }).click();
  await page.waitForURL(/\/runs\/\d+$/);
  await page.getByText("done", { exact: true }).waitFor();

  const load = page.locator("section.load");
  await load.getByRole("heading", { name: "Latency under load, 64 B" }).waitFor();
  await load.locator(".chart-point.apart").first().waitFor();
  await load.locator('.chart-point[tabindex="0"]').focus();
  const label = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
  assert.match(await label(), /^Pipe, p50, 500 \/s: /);
  await page.keyboard.press("ArrowRight");
  assert.match(await label(), /^Pipe, p50, 10 M\/s: .*; rate not held: [\d.]+ k?\/s$/);
  await page.getByRole("tooltip").getByText("rate not held").waitFor();

  await load.getByText("The same as a table").press("Enter");
  const row = load.getByRole("row", { name: /^Pipe, p50/ });
  assert.match((await row.textContent()) ?? "", /rate not held/);
  const table = page.locator(".case-table", { has: page.getByRole("heading", { name: "Paced", exact: true }) });
  await table.getByText("rate not held", { exact: true }).first().waitFor();
  await table.getByRole("button", { name: "Rate asked for" }).click();
  await page.waitForURL(/sort=rate/);
});

test("several workers are asked for with the reason why one cannot have them", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/?own");
  const dialog = page.getByRole("dialog", { name: "Own experiment" });
  await dialog.getByRole("button", { name: "None" }).click();
  await dialog.getByRole("checkbox", { name: "Pipe", exact: true }).check();
  const senders = dialog.getByLabel("Senders", { exact: true });
  assert.deepEqual(await senders.locator("option").allTextContents(), ["1", "2", "3", "4", "5", "6", "7", "8"]);
  await senders.selectOption("3");
  await dialog.getByText("Choose the pattern stream alone").waitFor();
  await dialog.getByRole("button", { name: "Start" }).click();
  await page.locator('#field-senders[aria-invalid="true"], #field-patterns.invalid').first().waitFor();

  await dialog.getByRole("checkbox", { name: "round trip" }).uncheck();
  await dialog.getByLabel("Trials of each case", { exact: true }).fill("1");
  await dialog.getByLabel("Duration (ms)", { exact: true }).fill("20");
  await dialog.getByRole("button", { name: "Start" }).click();
  await page.waitForURL(/\/runs\/\d+$/);
  await page.locator(".case-table").getByText("3 → 1").first().waitFor();
});

test("a case whose trials differ in distance unfolds into its classes, by keyboard", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, { ...small_experiment, patterns: ["stream"] });
  const page = await openPage(t, server.base);
  // Where the CPUs are is not the test's to choose: the page is told that the trials differed.
  await page.route("**/results", async (route) => {
    const answer = await route.fetch();
    const results = await answer.json();
    const [first] = results.cases;
    first.by_distance = ["C", "X"].map((distance) => ({ ...first, distance, trials: 1 }));
    await route.fulfill({ response: answer, json: results });
  });
  await page.goto(`/runs/${run.id}`);
  const unfold = page.locator("#case-0").getByRole("button", { name: "by distance: C, X" });
  await unfold.focus();
  assert.equal(await unfold.getAttribute("aria-expanded"), "false");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("tr.distance-class").count(), 2);
  assert.equal(await unfold.getAttribute("aria-expanded"), "true");
  assert.ok(await unfold.evaluate((element) => element === document.activeElement), "the focus stays");
  await page.getByText("The hypervisor moves the CPUs").waitFor();
  await page.keyboard.press("Enter");
  await page.locator("tr.distance-class").first().waitFor({ state: "detached" });
});

test("the cost of measuring stands with the method, what disturbed a trial with the trial", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, { ...small_experiment, patterns: ["round_trip"] });
  const page = await openPage(t, server.base);
  await page.goto("/");
  await page.locator("tr.matrix-row a.figure").first().waitFor();
  await page.locator(".method summary").press("Enter");
  await page.getByText(/Reading the clock takes [\d.]+ ns/).waitFor();
  await page.getByText(/Of the shortest round trip here, [\d.]+ [nµm]s by .*, measuring is about [\d.]+ %/).waitFor();

  await page.goto(`/runs/${run.id}`);
  const trials = page.locator("details.trial-case").first();
  await trials.locator("summary").press("Enter");
  for (const head of ["Stolen", "Load before", "CPU clock", "Made to leave it"])
    await trials.getByRole("columnheader", { name: head, exact: true }).waitFor();
});

test("controls stand apart, and what is not available says why", async (t) => {
  const server = await startServer(t);
  await takeRun(server, { ...small_experiment, mechanisms: ["pipe"], patterns: ["stream"] });
  const page = await openPage(t, server.base);
  // The same page on a machine that lacks something, whatever this one has.
  await page.route("**/api/v1/mechanisms", async (route) => {
    const answer = await route.fetch();
    const { mechanisms } = await answer.json();
    const [first] = mechanisms;
    const reason = "io_uring_setup is refused: set kernel.io_uring_disabled to 0";
    const lacking = { name: "lacking", title: "Lacking", family: "technique" };
    mechanisms.unshift({ ...first, name: "a_control", title: "A control", family: "control" });
    mechanisms.push({ ...first, ...lacking, available: false, unavailable_reason: reason });
    await route.fulfill({ response: answer, json: { mechanisms } });
  });
  await page.goto("/");
  await page.locator('tr[data-mechanism="pipe"] a.figure').first().waitFor();
  await page.locator('tr[data-mechanism="lacking"]').getByText("kernel.io_uring_disabled").waitFor();
  const families = await page.locator("tr.family th > span").allTextContents();
  assert.equal(families[0], "Memory");
  assert.equal(families[families.length - 1], "Controls");
  await page.getByText("what the loop itself costs").waitFor();
});
