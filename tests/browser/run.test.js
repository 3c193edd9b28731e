import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage, small_experiment, startServer, takeRun } from "./support.js";

test("a run's page shows its figures, its trials, its machine, and sorts", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, { ...small_experiment, name: "to look at" });
  const page = await openPage(t, server.base);
  await page.goto(`/runs/${run.id}`);
  await page.getByRole("heading", { level: 1, name: "to look at" }).waitFor();

  const round_trips = page.locator(".case-table", {
    has: page.getByRole("heading", { name: "Round trip", exact: true }),
  });
  const names = () => round_trips.locator("tbody .mechanism-name").allTextContents();
  await round_trips.getByRole("button", { name: "p50", exact: true }).click();
  await page.waitForURL(/sort=p50/);
  const ascending = await names();
  await round_trips.getByRole("button", { name: /^p50/ }).click();
  await page.waitForURL(/sort=-p50/);
  assert.deepEqual(await names(), [...ascending].reverse());

  await page.getByText("The same as a table").first().click();
  await page.locator(".chart-twin table").first().waitFor();
  const trials = page.locator("details.trial-case").first();
  await trials.locator("summary").click();
  await trials.locator("tbody tr").first().waitFor();
  assert.equal(await trials.locator("tbody tr").count(), small_experiment.trials);
  await page.getByRole("table", { name: "Machine" }).getByText("kernel", { exact: true }).waitFor();
});

test("the cursor keys walk along the lines of a chart", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, { ...small_experiment, duration_ms: 100 });
  const page = await openPage(t, server.base);
  await page.goto(`/runs/${run.id}`);
  const start = page.locator('.chart-point[tabindex="0"]').first();
  await start.focus();
  const label = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
  assert.match(await label(), /p50/);
  await page.keyboard.press("ArrowRight");
  assert.match(await label(), /p90|max/);
  const before = await label();
  await page.keyboard.press("ArrowDown");
  assert.notEqual((await label()).split(",")[0], before.split(",")[0]);
  await page.getByRole("tooltip").waitFor();
});

test("a run is renamed in place; a change by somebody else is told, not overwritten", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, { ...small_experiment, name: "first name" });
  const page = await openPage(t, server.base);
  await page.goto(`/runs/${run.id}`);

  await page.getByRole("button", { name: /^Edit/ }).click();
  await page.getByLabel("Name", { exact: true }).fill("second name");
  await page.getByLabel("Tags", { exact: true }).fill("one, two");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { level: 1, name: "second name" }).waitFor();

  await page.getByRole("button", { name: /^Edit/ }).click();
  await page.getByLabel("Name", { exact: true }).fill("third name");
  const address = `${server.base}/api/v1/runs/${run.id}`;
  const etag = (await fetch(address)).headers.get("ETag") ?? "";
  const patched = await fetch(address, {
    method: "PATCH",
    headers: { "Content-Type": "application/json", "If-Match": etag },
    body: JSON.stringify({ name: "from elsewhere" }),
  });
  assert.equal(patched.status, 200);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Somebody else changed this run").waitFor();
  assert.equal((await (await fetch(address)).json()).name, "from elsewhere");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { level: 1, name: "third name" }).waitFor();
});

test("a deleted run comes back with Undo", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, { ...small_experiment, name: "to delete" });
  const page = await openPage(t, server.base);
  await page.goto(`/runs/${run.id}`);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.waitForURL(/\/runs$/);
  await page.getByText(`Run ${run.id} was deleted.`).waitFor();
  await page.getByRole("link", { name: "to delete" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("link", { name: "to delete" }).waitFor();
});

test("the list is filtered by the address", async (t) => {
  const server = await startServer(t);
  await takeRun(server, { ...small_experiment, mechanisms: ["pipe"], patterns: ["stream"], name: "with a pipe" });
  await takeRun(server, { ...small_experiment, mechanisms: ["fifo"], patterns: ["stream"], name: "with a fifo" });
  const page = await openPage(t, server.base);
  await page.goto("/runs?mechanism=fifo");
  await page.getByRole("link", { name: "with a fifo" }).waitFor();
  assert.equal(await page.locator("table.runs tbody tr").count(), 1);
  await page.getByLabel("Mechanism").selectOption("");
  await page.getByRole("link", { name: "with a pipe" }).waitFor();
  await page.getByRole("searchbox").fill("a pipe");
  await page.waitForURL(/q=a\+pipe/);
  await page.getByRole("link", { name: "with a fifo" }).waitFor({ state: "detached" });
  await page.getByLabel("State").selectOption("failed");
  await page.getByText("No run matches.").waitFor();
});

test("a run taken on another machine shows that machine's facts, and what differs here", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, { ...small_experiment, patterns: ["stream"] });
  const page = await openPage(t, server.base);
  // The page is told that the server has moved; the facts of the run's machine still come from the archive.
  await page.route("**/api/v1/machine", async (route) => {
    const answer = await route.fetch();
    const machine = await answer.json();
    machine.full = machine.comparable = "0".repeat(32);
    machine.facts.kernel = "Linux 1.0";
    await route.fulfill({ response: answer, json: machine });
  });
  await page.goto(`/runs/${run.id}`);
  const facts = page.getByRole("table", { name: "Machine" });
  const kernel = facts.locator("tr", { has: page.getByText("kernel", { exact: true }) });
  await kernel.getByText("here: Linux 1.0").waitFor();
  const { facts: archived } = await (await fetch(`${server.base}/api/v1/machines/${run.machine.full}`)).json();
  assert.ok((await kernel.textContent())?.includes(archived.kernel));
  await page.getByText("another machine, or this one in another state").waitFor();
});

test("a run is taken again in an order of its own, without the mark of a first run", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, { ...small_experiment, seed: 42, tags: ["first-run", "demo"] });
  const page = await openPage(t, server.base);
  await page.goto(`/runs/${run.id}`);
  await page.getByRole("link", { name: /^Change and run/ }).click();
  const dialog = page.getByRole("dialog", { name: "Own experiment" });
  await dialog.getByText("That run took 42.").waitFor();
  assert.equal(await dialog.getByLabel("Seed", { exact: true }).inputValue(), "");
  assert.equal(await dialog.getByLabel("Tags", { exact: true }).inputValue(), "demo");

  await page.goto(`/runs/${run.id}`);
  await page.getByRole("button", { name: "Run again" }).click();
  await page.waitForURL(new RegExp(`/runs/${run.id + 1}$`));
  const again = await (await fetch(`${server.base}/api/v1/runs/${run.id + 1}`)).json();
  assert.deepEqual(again.tags, ["demo"]);
  assert.notEqual(again.experiment.seed, 42);
  assert.equal(again.experiment_hash, run.experiment_hash);
});
