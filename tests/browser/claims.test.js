/** The ledger on the page: filtered, checked, compared, and reached from the matrix. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";

import { expectAccessibleInBoth } from "./axe.js";
import { openPage, startServer } from "./support.js";

/** @param {{base: string}} server @param {string} path @returns {Promise<any>} */
const read = async ({ base }, path) => (await fetch(`${base}/api/v1${path}`)).json();

/** @param {import("playwright-core").Page} page */
const rows = (page) => page.locator("table.claims tbody tr:not(.family)");

test("claims stand by mechanism and are narrowed down by verdict, mechanism, criterion and words", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  const { claims } = await read(server, "/claims");
  await page.goto("/claims");
  await rows(page).first().waitFor();
  assert.equal(await rows(page).count(), claims.length);
  await page.getByLabel("About").selectOption("pipe");
  await page.waitForURL(/mechanism=pipe/);
  const pipes = claims.filter((/** @type {any} */ one) => one.mechanism === "pipe");
  await page.getByText(`${pipes.length} claims match`).waitFor();
  await page.getByLabel("Criterion").selectOption("direction");
  const directions = pipes.filter((/** @type {any} */ one) => one.criteria.includes("direction"));
  await page.getByText(new RegExp(`^${directions.length} claims? match`)).waitFor();

  await page.goto("/claims");
  await rows(page).first().waitFor();
  const word = claims.find((/** @type {any} */ one) => one.number === 38).text.split(" ").slice(-2).join(" ");
  await page.getByRole("searchbox").fill(word.replace(/\W+$/, ""));
  await page.waitForURL(/q=/);
  await page.locator('a[href="/claims/38"]').waitFor();
  await page.getByRole("combobox", { name: "Verdict" }).selectOption("holds");
  await page.waitForURL(/verdict=holds/);
  assert.equal(await rows(page).count(), 0);
});

test("one claim is checked, in the list and on its own page, and says what was seen and why", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/claims?mechanism=pipe");
  await page.getByRole("button", { name: "Check claim 38" }).click();
  const row = rows(page).filter({ has: page.locator('a[href="/claims/38"]') });
  await row.getByText("holds with a condition").waitFor();
  await row.getByRole("link").click();

  const claim = await read(server, "/claims/38");
  await page.getByRole("heading", { level: 1, name: claim.text, exact: true }).waitFor();
  await page.getByText(claim.latest.why.slice(0, 40)).waitFor();
  await page.getByRole("table", { name: "Evidence" }).getByText("65\u202f536 B").first().waitFor();
  await page.locator(".source").getByText("fcntl").first().waitFor();
  await page.getByText(/this machine/).first().waitFor();
  await page.getByRole("button", { name: "Check on this machine" }).click();
  await page.getByRole("table", { name: "All checks" }).waitFor();
  assert.equal((await read(server, "/claims/38/checks")).checks.length, 2);
  await page.getByRole("link", { name: (await read(server, "/labs/pipe_gauge")).title }).click();
  await page.waitForURL(/\/labs\/pipe_gauge/);
});

test("a check that is over before the page hears of its beginning is shown as over", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.route(/\/api\/v1\/claims\/38\/checks$/, async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    const answer = await route.fetch();
    const { id } = await answer.json();
    while ((await read(server, `/checks/${id}`)).state !== "done") await nextTurn();
    return route.fulfill({ response: answer });
  });
  for (const [address, name] of [["/claims?mechanism=pipe", "Check claim 38"], ["/claims/38", "Check on this machine"]]) {
    await page.goto(address);
    await page.getByRole("button", { name }).click();
    await page.waitForResponse((answer) => answer.request().method() === "POST");
    await page.locator('.chip[data-verdict="conditional"]').first().waitFor();
    await page.getByRole("button", { name, disabled: false }).waitFor();
  }
});

test("a check that retention drops leaves its claim's page, and the verdict stays", async (t) => {
  const server = await startServer(t, { wrap: ["env", "IPCLAB_KEEP_CHECKS=0h"] });
  const stream = await server.client.stream("checks");
  for (let i = 0; i < 2; i++) {
    await server.client.post("/api/v1/claims/38/checks", {});
    await stream.next(({ event, data }) => event === "check" && data.state === "done");
  }
  stream.close();
  const page = await openPage(t, server.base);
  await page.goto("/claims/38");
  const all = page.getByRole("table", { name: "All checks" });
  await all.waitFor();
  // It comes once a day, and after an import that was given up.
  await server.client.post("/api/v1/imports", "{}");
  await all.waitFor({ state: "detached" });
  await page.locator('.chip[data-verdict="conditional"]').first().waitFor();
});

test("all claims are checked with their progress told, and set beside those of another machine", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/claims");
  await page.getByRole("button", { name: "Check all" }).click();
  await page.getByText(/^\d+ of \d+ checked$/).waitFor();
  await page.getByRole("progressbar", { name: "Claims checked" }).waitFor();
  await page.locator(".chip.verdict", { hasText: /^[^a-z]*holds$/ }).first().waitFor();
  await page.getByRole("button", { name: "holds with a condition" }).first().waitFor();

  // The archive knows a second machine once its runs were imported; here its answer stands in for one.
  const here = await read(server, "/claims/checks");
  const there = "f".repeat(here.machine.length);
  await page.route(/\/api\/v1\/claims\/checks(\?|$)/, async (route) => {
    const asks_there = route.request().url().includes(there);
    const answer = await route.fetch({ url: `${server.base}/api/v1/claims/checks` });
    const ledger = await answer.json();
    ledger.machines.push({ ...ledger.machines[0], full: there, comparable: there, kernel: "Linux 5.0" });
    if (asks_there)
      for (const check of ledger.checks) check.verdict = check.verdict === "holds" ? "does_not_hold" : check.verdict;
    await route.fulfill({ response: answer, json: ledger });
  });
  await page.goto("/claims");
  await page.getByLabel("Compare with").selectOption({ label: await page.getByLabel("Compare with").locator("option").last().innerText() });
  await page.getByRole("columnheader", { name: /Linux 5\.0/ }).waitFor();
  await page.locator("tr.differs").first().waitFor();
});

test("a trait in the matrix leads to the claims that decide it", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/");
  const pipe = page.locator('tr.matrix-row[data-mechanism="pipe"]');
  await pipe.getByRole("link", { name: "one-way" }).click();
  await page.waitForURL(/\/claims\?mechanism=pipe&criterion=direction$/);
  await rows(page).first().waitFor();
  const { claims } = await read(server, "/claims");
  const proofs = claims.filter((/** @type {any} */ one) => one.mechanism === "pipe" && one.criteria.includes("direction"));
  assert.equal(await rows(page).count(), proofs.length);
});

test("the ledger has no serious violation", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/claims/38");
  await page.getByRole("button", { name: "Check on this machine" }).click();
  await page.getByRole("heading", { name: "Why" }).waitFor();
  await expectAccessibleInBoth(page, "/claims/38");
  await page.goto("/claims");
  await rows(page).first().waitFor();
  await expectAccessibleInBoth(page, "/claims");
});
