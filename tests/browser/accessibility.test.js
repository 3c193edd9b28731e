/** No serious violation of the accessibility rules on the pages of mechanisms and runs. */

import { test } from "node:test";

import { expectAccessibleInBoth } from "./axe.js";
import { openPage, small_experiment, startServer, takeRun } from "./support.js";

test("no serious violation on any page, light and dark", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, {
    ...small_experiment,
    patterns: ["round_trip", "stream", "paced"],
    rate_hz: [500, 10_000_000],
    tags: ["tag"],
    note: "a note",
  });
  const page = await openPage(t, server.base);

  await page.goto("/");
  await page.locator("tr.matrix-row a.figure").first().waitFor();
  await page.getByText("How was this measured?").click();
  await expectAccessibleInBoth(page, "/");
  await page.locator("tr.matrix-row a.figure").first().focus();
  await page.getByRole("tooltip").waitFor();
  await expectAccessibleInBoth(page, "/ with a tooltip");

  await page.getByRole("link", { name: /Own experiment/ }).click();
  const dialog = page.getByRole("dialog", { name: "Own experiment" });
  await dialog.getByLabel("Trials of each case", { exact: true }).fill("0");
  await dialog.getByRole("button", { name: "Start" }).click();
  await page.locator('#field-trials[aria-invalid="true"]').waitFor();
  await expectAccessibleInBoth(page, "own experiment");

  await page.goto("/runs");
  await page.locator("table.runs a").first().waitFor();
  await expectAccessibleInBoth(page, "/runs");

  await page.goto(`/runs?selected=${run.id}`);
  await page.getByRole("button", { name: /^Edit/ }).click();
  await page.getByRole("button", { name: /^More about/ }).click();
  await expectAccessibleInBoth(page, "/runs, with a run selected and edited");

  const again = await takeRun(server, small_experiment);
  await page.goto(`/compare?base=${run.id}&against=${again.id}&max_slower=5`);
  await page.locator(".chart-point.row").first().waitFor();
  await page.locator("section.inside").scrollIntoViewIfNeeded();
  await page.locator("section.inside .chart-point").first().waitFor();
  await page.evaluate(() =>
    document.querySelectorAll("details").forEach((one) => {
      one.open = true;
    }),
  );
  await expectAccessibleInBoth(page, "/compare");
  await page.goto("/compare");
  await page.getByRole("heading", { level: 1, name: "Compare" }).waitFor();
  await expectAccessibleInBoth(page, "/compare without runs");

  await takeRun(server, small_experiment);
  await page.goto("/trends");
  await page.locator(".trend-experiments a").first().waitFor();
  await expectAccessibleInBoth(page, "/trends");
  await page.locator(".trend-experiments a").first().click();
  await page.locator(".chart-point").first().waitFor();
  await expectAccessibleInBoth(page, "/trends of one experiment");

  await page.goto(`/runs/${run.id}`);
  await page.locator("section.load .chart-point").first().waitFor();
  await page.locator("details.trial-case summary").first().click();
  await page.locator("details.trial-case tbody tr").first().waitFor();
  await expectAccessibleInBoth(page, "/runs/ID");
  await page.getByRole("button", { name: /^Edit/ }).click();
  await expectAccessibleInBoth(page, "/runs/ID, editing");

  await page.goto("/api");
  await page.locator("details.operation").first().waitFor();
  await page.evaluate(() =>
    document.querySelectorAll("details").forEach((one) => {
      one.open = true;
    }),
  );
  await expectAccessibleInBoth(page, "/api");
});
