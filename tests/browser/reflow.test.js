/** On a phone the page is read by scrolling down only (WCAG 2.2, 1.4.10); what is wide scrolls inside its own frame. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage, small_experiment, startServer, takeRun } from "./support.js";

const phone_px = 390;

/** What reaches beyond the page, and is in no frame that scrolls. @param {import("playwright-core").Page} page */
const findWide = (page) =>
  page.evaluate(() => {
    const { scrollWidth } = document.scrollingElement ?? document.body;
    if (scrollWidth <= window.innerWidth) return [];
    const wide = [...document.querySelectorAll("main *, header *, footer *")].filter((one) => {
      if (one.getBoundingClientRect().right <= window.innerWidth) return false;
      for (let at = one.parentElement; at; at = at.parentElement)
        if (getComputedStyle(at).overflowX !== "visible") return false;
      return true;
    });
    return [`${scrollWidth} px`, ...wide.map((one) => `${one.localName}.${one.getAttribute("class")}`)];
  });

/**
 * What is cut off, and what scrolls without a way to it for whoever has no finger on the screen.
 * @param {import("playwright-core").Page} page
 */
const findUnreachable = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("main *")]
      .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 1)
      .filter((one) => {
        const { overflowX, textOverflow } = getComputedStyle(one);
        if (overflowX === "hidden") return textOverflow !== "ellipsis" && one.querySelector("table, a, button") !== null;
        return /auto|scroll/.test(overflowX) && !one.matches("input, textarea, [tabindex='0']");
      })
      .map((one) => `${one.localName}.${one.getAttribute("class")}`),
  );

test("no page scrolls sideways on a phone", async (t) => {
  const server = await startServer(t);
  const experiment = {
    ...small_experiment,
    name: "a name long enough to take more than one line on a phone, as those of students do",
    patterns: ["round_trip", "stream", "paced"],
    rate_hz: [500, 1000],
    tags: ["laptop on mains", "kernel-6.18-with-a-very-long-suffix"],
  };
  const run = await takeRun(server, { ...experiment, note: "a note" });
  const again = await takeRun(server, experiment);
  await server.client.post("/api/v1/claims/38/checks", {});
  const page = await openPage(t, server.base, { width: phone_px });

  /** @param {string} where */
  async function expectNarrow(where) {
    assert.deepEqual(await findWide(page), [], where);
    assert.deepEqual(await findUnreachable(page), [], where);
  }
  /** @param {string} address @param {string} shown  a selector of what comes last */
  async function visit(address, shown) {
    await page.goto(address);
    await page.locator(shown).first().waitFor();
    await expectNarrow(address);
  }

  await visit("/", "tr.matrix-row a.figure");
  await page.getByText("How was this measured?").click();
  await expectNarrow("/, with its method");
  await visit("/?own", "dialog[open] button[type=submit]");
  await visit("/runs", "table.runs a");
  await visit(`/runs?selected=${run.id},${again.id}`, ".archive-selection a");
  await page.getByRole("button", { name: /^Edit/ }).first().click();
  await expectNarrow("/runs, edited");
  await visit("/runs?q=nothing+has+this+name", "text=No run matches.");
  await visit(`/runs/${run.id}`, "section.load .chart-point");
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => one.toggleAttribute("open", true)));
  await expectNarrow(`/runs/${run.id}, unfolded`);
  await visit(`/compare?base=${run.id}&against=${again.id}&max_slower=5`, ".chart-point.row");
  await page.locator("section.inside").scrollIntoViewIfNeeded();
  await page.locator("section.inside .chart-point").first().waitFor();
  await expectNarrow("/compare, inside the trials");
  await visit("/compare", ".pair-list a");
  await visit("/trends", ".trend-experiments a");
  await page.locator(".trend-experiments a").first().click();
  await page.locator(".chart-point").first().waitFor();
  await expectNarrow("/trends of one experiment");
  await visit("/labs", ".lab-item");
  await visit("/claims", "table.claims a");
  await visit("/claims/38", ".claim-record");
  await visit("/api", "details.operation");
  await visit("/runs/none", "text=There is no such page");
});

test("no lab scrolls sideways on a phone, before and after it has run", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base, { width: phone_px });
  const { json } = await server.client.get("/api/v1/labs");
  for (const { name } of json.labs) {
    await page.goto(`/labs/${name}`);
    await page.locator(".lab-predict").first().waitFor();
    assert.deepEqual(await findWide(page), [], name);
  }
  for (const name of ["pipe_gauge", "shm_server", "socket_echo", "fastest"]) {
    await page.goto(`/labs/${name}`);
    await page.getByRole("button", { name: "Run without predicting" }).click();
    await page.getByRole("region", { name: "4 · Explain" }).waitFor();
    assert.deepEqual(await findWide(page), [], `${name}, run`);
    assert.deepEqual(await findUnreachable(page), [], `${name}, run`);
  }
});
