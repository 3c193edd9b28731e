import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage, small_experiment, startServer, takeRun } from "./support.js";

const quick = ["shm_sysv", "mmap_file", "pipe", "fifo", "unix_stream", "tcp"];

test("a newcomer sees the quick comparison fill in until it is done", async (t) => {
  const server = await startServer(t, { first_run: true });
  const page = await openPage(t, server.base);
  await page.goto("/");

  const progress = page.getByRole("region", { name: "Progress" });
  await progress.waitFor();
  await page.locator("tr.matrix-row.measuring").first().waitFor();
  await page.locator('.progress[data-state="done"]').waitFor();

  for (const name of quick) {
    const row = page.locator(`tr[data-mechanism="${name}"]`);
    const figures = row.locator("a.figure");
    assert.equal(await figures.count(), 2, `${name} has a round trip and a stream`);
    assert.match((await figures.nth(0).textContent()) ?? "", /^[\d.]+ (ns|µs|ms)$/, name);
    assert.match((await figures.nth(1).textContent()) ?? "", /^[\d.]+$/, name);
    assert.match((await figures.nth(0).getAttribute("href")) ?? "", /^\/runs\/\d+#case-\d+$/);
    const conditions = await row.locator(".conditions").allTextContents();
    for (const text of conditions)
      assert.match(
        text,
        /(spin then futex|futex|blocking) · (two CPUs|same CPU)/,
        "wait and placement stand beside the figure",
      );
  }
});

test("a figure tells what stands behind it and opens its run", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, { ...small_experiment, trials: 6 });
  const page = await openPage(t, server.base);
  await page.goto("/");

  const figure = page.locator('tr[data-mechanism="pipe"] a.figure').first();
  await figure.focus();
  const tip = page.getByRole("tooltip");
  await tip.waitFor();
  assert.match((await tip.textContent()) ?? "", /n = 6 trials/);
  await page.keyboard.press("Escape");
  await tip.waitFor({ state: "hidden" });

  await figure.press("Enter");
  await page.waitForURL(new RegExp(`/runs/${run.id}#case-\\d+$`));
  const row = page.locator("tr.target");
  await row.waitFor();
  assert.match((await row.textContent()) ?? "", /Pipe/);
});

test("with the keyboard alone a preset is chosen, started and stopped", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/");
  await page.getByRole("radio").first().waitFor();

  /** @param {string} role @param {RegExp} name */
  const tabTo = async (role, name) => {
    const target = page.getByRole(/** @type {any} */ (role), { name });
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press("Tab");
      if (await target.evaluateAll((elements) => elements.some((element) => element === document.activeElement)))
        return;
    }
    assert.fail(`Tab never reaches ${role} ${name}`);
  };
  await tabTo("radio", /Quick/);
  await page.keyboard.press("ArrowRight");
  assert.ok(await page.getByRole("radio", { name: /Standard/ }).isChecked());
  await tabTo("button", /^Start$/);
  await page.keyboard.press("Enter");
  await page.locator('.progress[data-state="running"]').waitFor();

  await page.keyboard.press("Home");
  await page.locator("body").press("Tab");
  await tabTo("button", /^Stop/);
  await page.keyboard.press("Enter");
  await page.locator('.progress[data-state="cancelled"]').waitFor();
});

test("the theme is switched, remembered, and there before the first paint", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/");
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await page.getByRole("button", { name: "Dark" }).click();
  assert.notEqual(await background(), light);
  await page.reload({ waitUntil: "domcontentloaded" });
  assert.notEqual(await background(), light);
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
});

test("nothing is wider than a phone", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, {
    ...small_experiment,
    patterns: ["round_trip", "stream", "paced"],
    rate_hz: [500, 10_000_000],
  });
  const again = await takeRun(server, small_experiment);
  const page = await openPage(t, server.base, { width: 360 });
  for (const [path, ready] of [
    ["/", "tr.matrix-row a.figure"],
    [`/?own=${run.id}`, "#field-rate_hz"],
    ["/runs", "table.runs a"],
    [`/runs/${run.id}`, "#case-0"],
    [`/compare?base=${run.id}&against=${again.id}`, ".chart-point.row"],
    [`/trends?experiment=${again.experiment_hash}&machine=${again.machine.full}`, ".chart-point"],
    ["/api", "details.operation"],
  ]) {
    await page.goto(path);
    await page.locator(ready).first().waitFor();
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.equal(overflow, 0, `${path} scrolls sideways by ${overflow} px`);
  }
});
