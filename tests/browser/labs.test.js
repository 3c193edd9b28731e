/** Every lab as a student would take it: predicted, run, looked at, tried again with something changed. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { expectAccessibleInBoth } from "./axe.js";
import { openPage, startServer } from "./support.js";

/** @typedef {import("playwright-core").Page} Page */

/** @param {{base: string}} server @param {string} path @returns {Promise<any>} */
const read = async ({ base }, path) => (await fetch(`${base}/api/v1${path}`)).json();

/** Gives the first answer there is, or the smallest. @param {Page} page */
async function predictAnything(page) {
  const choice = page.locator(".lab-predict input[type=radio]").first();
  const number = page.locator("#prediction");
  await choice.or(number).first().waitFor();
  if ((await number.count()) > 0) await number.fill("0");
  else await choice.check();
}

/** @param {Page} page @returns {Promise<number>} the attempt's number */
async function runPrediction(page) {
  await page.getByRole("button", { name: "Lock in and run" }).click();
  const explained = page.getByRole("region", { name: "4 · Explain" });
  await explained.waitFor().catch(async () => assert.fail(`${page.url()} shows no end: ${await page.innerText("main")}`));
  return Number(new URL(page.url()).searchParams.get("attempt"));
}

/** @param {Page} page @param {string} address @returns {Promise<number>} */
async function take(page, address) {
  await page.goto(address);
  await predictAnything(page);
  return runPrediction(page);
}

/**
 * What the page shows of an attempt is what the archive has of it.
 * @param {Page} page
 * @param {any} lab
 * @param {any} attempt
 */
async function expectShown(page, lab, attempt) {
  assert.equal(attempt.state, "done", `${lab.name}: ${attempt.message}`);
  const explained = (await page.getByRole("region", { name: "4 · Explain" }).innerText()).replace(/\s+/g, " ");
  if (attempt.skipped) {
    assert.ok(explained.includes(attempt.skipped.call) && explained.includes(attempt.skipped.errno), explained);
    return;
  }
  assert.match(explained, attempt.agrees ? /You said .*, and so it was/ : /You said .*; it was /, lab.name);
  assert.doesNotMatch(attempt.explanation, /\d\.\d{4}/, `${lab.name}: nobody reads so many digits`);
  assert.ok(explained.includes(attempt.explanation.slice(0, 40).replace(/\s+/g, " ")), `${lab.name}: ${explained}`);
  await page.locator(".lanes .lane").first().waitFor();
  const kinds = new Set(attempt.panels.map((/** @type {any} */ { panel }) => panel));
  for (const kind of kinds) {
    const card = kind === "gauge" ? ".gauge" : kind === "terminals" ? ".panel-terminals" : `.panel-${kind}`;
    assert.ok(await page.locator(card).first().isVisible(), `${lab.name} shows no ${kind}`);
  }
  const callers = new Set(attempt.timeline.map((/** @type {any} */ { worker }) => worker)).size;
  const lanes = attempt.workers.length > 8 ? callers : attempt.workers.length;
  assert.equal(await page.locator(".lanes .lane").count(), lanes, `${lab.name}: a lane each`);
  const rows = Math.min(50, attempt.timeline.length);
  assert.equal(await page.locator(".calls tbody tr").count(), rows, `${lab.name}: a row for each call`);
}

test("all labs are listed with their questions, and each runs with its defaults and shows what it saw", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  const { labs } = await read(server, "/labs");
  await page.goto("/labs");
  for (const lab of labs) await page.getByRole("link", { name: lab.title, exact: true }).waitFor();
  assert.equal(await page.getByText("not tried yet").count(), labs.length);

  // Several at once, as a class would; each in a tab of its own.
  const left = [...labs];
  const pages = [page, ...(await Promise.all([1, 2, 3].map(() => page.context().newPage())))];
  await Promise.all(
    pages.map(async (tab) => {
      for (let lab = left.shift(); lab; lab = left.shift()) {
        const id = await take(tab, `/labs/${lab.name}`);
        await tab.getByRole("heading", { level: 1, name: lab.question, exact: true }).waitFor();
        await expectShown(tab, lab, await read(server, `/attempts/${id}`));
      }
    }),
  );
  await page.goto("/labs");
  await page.getByText("tried once").first().waitFor();
  await page.getByText("not tried yet").waitFor({ state: "detached" });
});

/** @type {[string, Record<string, string>, (attempt: any) => void][]} */
const flips = [
  ["shm_alone", { remove: "true" }, ({ outcome }) => assert.equal(outcome, "gone")],
  ["pipe_gauge", { chunk_bytes: "4097" }, ({ outcome }) => assert.equal(outcome, 45066)],
  ["pipe_ends", { leaves: "reader" }, ({ outcome }) => assert.equal(outcome, "sigpipe")],
  ["pipe_ends", { leaves: "reader", sigpipe: "ignored" }, ({ outcome }) => assert.equal(outcome, "epipe")],
  ["fifo_session", { flags: "nonblock" }, ({ outcome }) => assert.equal(outcome, "enxio")],
  ["fifo_atomicity", { message_bytes: "4096" }, ({ evidence }) => assert.equal(evidence.torn, 0)],
];

test("a changed parameter changes what comes out, and the address carries all of them", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  for (const [name, changes, check] of flips) {
    const lab = await read(server, `/labs/${name}`);
    const known = new Set(lab.parameters.map((/** @type {any} */ one) => one.name));
    for (const parameter of Object.keys(changes)) assert.ok(known.has(parameter), `${name} has no ${parameter}`);
    const id = await take(page, `/labs/${name}?${new URLSearchParams(changes)}`);
    const attempt = await read(server, `/attempts/${id}`);
    check(attempt);
    await expectShown(page, lab, attempt);
    const carried = new URL(page.url()).searchParams;
    for (const parameter of known) assert.equal(carried.get(String(parameter)), String(attempt.parameters[String(parameter)]));
  }
});

test("a prediction is locked before the run, kept with its reason, and told apart from the outcome", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/labs/pipe_gauge");
  await page.getByLabel("Your name").fill("Ada");
  await page.getByLabel("Group").fill("b2");
  await page.getByLabel("Bytes per write").fill("4097");
  await page.waitForURL(/chunk_bytes=4097/);
  assert.ok(await page.getByRole("button", { name: "Lock in and run" }).isDisabled());
  await page.locator("#prediction").fill("65536");
  await page.getByLabel("Because …").fill("it is 64 KiB large");
  const id = await runPrediction(page);
  await page.getByText("You said 65\u202f536; it was 45\u202f066.").waitFor();
  await page.getByText("locked", { exact: true }).waitFor();
  assert.equal(await page.locator("#prediction").isVisible(), false);
  const attempt = await read(server, `/attempts/${id}`);
  assert.deepEqual(attempt.prediction, { answer: 65536, reason: "it is 64 KiB large" });
  assert.deepEqual([attempt.student, attempt.group], ["Ada", "b2"]);

  // The same prediction again, then the spread of both; then a link to the first.
  await page.getByRole("button", { name: "Run again" }).click();
  await page.waitForURL(new RegExp(`attempt=${id + 1}$`));
  const spread = page.getByRole("table", { name: "2 outcomes with these parameters" });
  await spread.getByRole("row", { name: /45\s066.*this attempt/ }).waitFor();
  await page.getByRole("table", { name: "What group b2 predicted" }).getByText("you said").waitFor();
  await page.getByRole("table", { name: "Attempts" }).getByRole("link", { name: String(id), exact: true }).click();
  await page.waitForURL(new RegExp(`attempt=${id}$`));

  // What was to be tried next leads to an open prediction.
  await page.getByRole("link", { name: "Predict anew" }).or(page.getByRole("button", { name: "Predict anew" })).click();
  await page.locator("#prediction").waitFor();
  assert.equal(await page.locator("#prediction").inputValue(), "");
  await page.getByRole("button", { name: "Run without predicting" }).click();
  await page.getByText("You chose not to predict.").waitFor();
});

test("what happened can be stepped through, zoomed into and replayed by keyboard", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await take(page, "/labs/pipe_gauge?chunk_bytes=4097");
  const slider = page.getByRole("slider", { name: "Go through what happened" });
  await slider.focus();
  await page.keyboard.press("Home");
  assert.equal(await slider.getAttribute("aria-valuetext"), "before the first call");
  await page.keyboard.press("ArrowRight");
  assert.match((await slider.getAttribute("aria-valuetext")) ?? "", /writer: pipe\(/);
  const current = page.locator('.calls tr[aria-current="step"]');
  assert.match((await current.innerText()) ?? "", /pipe\(/);
  // Somewhere on the way the writer is inside a write that has not returned.
  const blocked = page.locator('.lane-state[data-state="blocked"]');
  for (let step = 0; step < 60 && (await blocked.count()) === 0; step++) await page.keyboard.press("ArrowRight");
  assert.match(await blocked.first().innerText(), /blocked: write/);
  assert.match(await page.locator(".gauge-level").innerText(), /of 65\u202f536 B/);

  const bars = () => page.locator(".lanes .bar-call").count();
  const all = await bars();
  for (let i = 0; i < 6; i++) await page.getByRole("button", { name: "Zoom in at the cursor" }).press("Enter");
  assert.ok((await bars()) < all);
  await page.getByRole("button", { name: "See everything" }).press("Enter");
  await page.getByRole("button", { name: "To scale" }).press("Enter");
  await page.getByText("Time is to scale.").waitFor();
  await page.getByRole("button", { name: "Replay" }).press("Enter");
  await page.getByRole("button", { name: "Pause" }).press("Enter");
  await page.getByRole("button", { name: "Replay" }).waitFor();
  assert.notEqual(await slider.inputValue(), await slider.getAttribute("max"));
});

test("lines typed into one terminal come out of the other; Ctrl-D ends them", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/labs/fifo_session?typing=live");
  await predictAnything(page);
  await page.getByRole("button", { name: "Lock in and run" }).click();
  const line = page.getByRole("textbox", { name: "writer, a line to type" });
  const screen = page.getByRole("log", { name: "reader, what it shows" });
  await page.locator(".lane-state", { hasText: "blocked: read" }).first().waitFor();
  await line.fill("through a real FIFO");
  await line.press("Enter");
  await screen.getByText("through a real FIFO").waitFor();
  await line.fill("no newline");
  await line.press("Control+d");
  await screen.getByText("no newline").waitFor();
  await line.press("Control+d");
  await page.getByRole("region", { name: "4 · Explain" }).waitFor();
  await line.waitFor({ state: "hidden" });
});

test("what is out of its bounds is refused with what is allowed, here and by the server", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/labs/pipe_gauge?chunk_bytes=0");
  const chunk = page.getByLabel("Bytes per write");
  await page.locator("#prediction").fill("1");
  assert.equal(await chunk.inputValue(), "4096");
  await chunk.fill("65537");
  await page.getByText("1 to 65\u202f536 B is allowed, not 65537").waitFor();
  assert.ok(await page.getByRole("button", { name: "Lock in and run" }).isDisabled());

  await page.route("**/api/v1/labs/pipe_gauge/attempts", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    return route.continue({ postData: JSON.stringify({ parameters: { chunk_bytes: 70000 } }) });
  });
  await chunk.fill("100");
  await page.getByRole("button", { name: "Lock in and run" }).click();
  await page.getByText(/must be an integer from 1 to 65536, got 70000/).first().waitFor();

  // Each is within its bounds, both together take too long.
  await page.goto("/labs/pipe_stdio?lines=20&interval_ms=2000");
  await predictAnything(page);
  await page.getByText(/^0 to 400 is allowed while “.*” is 20$/).waitFor();
  assert.ok(await page.getByRole("button", { name: "Lock in and run" }).isDisabled());
  await page.locator("#lab-lines").fill("4");
  await page.getByText(/is allowed while/).waitFor({ state: "hidden" });
  assert.ok(await page.getByRole("button", { name: "Lock in and run" }).isEnabled());
});

test("an attempt that waits for a timed trial says so, and can be stopped", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/labs/pipe_gauge");
  await page.locator("#prediction").fill("65536");
  const run = await fetch(`${server.base}/api/v1/runs`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ mechanisms: ["pipe"], patterns: ["stream"], trials: 1, duration_ms: 20_000 }),
  }).then((response) => response.json());
  for (;;) {
    const { state } = await read(server, `/runs/${run.id}`);
    if (state === "running") break;
  }
  await page.getByRole("button", { name: "Lock in and run" }).click();
  await page.getByText(`waits for run ${run.id} to end, because nothing runs beside a timed trial`).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("The attempt was stopped").waitFor();
  await fetch(`${server.base}/api/v1/runs/${run.id}/cancel`, { method: "POST" });
});

test("an attempt is handed in as JSON and on paper, traced for Chrome, and shown large", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  const id = await take(page, "/labs/shm_alone");
  const hrefs = await page
    .locator(".hand-in a")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  assert.deepEqual(hrefs, [`/api/v1/attempts/${id}`, `/api/v1/attempts/${id}/trace`]);
  const trace = await read(server, `/attempts/${id}/trace`);
  assert.ok(trace.traceEvents.some((/** @type {any} */ one) => one.name === "shmget"));

  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  assert.ok(await page.getByText(`Attempt ${id} (`).isVisible());
  assert.ok(await page.locator(".evidence").isVisible());
  assert.equal(await page.locator(".hand-in").isVisible(), false);
  await page.emulateMedia({ media: "screen" });

  const size = () => page.evaluate(() => getComputedStyle(document.documentElement).fontSize);
  const small = await size();
  await page.getByRole("button", { name: "Projector view" }).click();
  await page.waitForURL(/projector=1/);
  assert.ok(parseFloat(await size()) > 1.2 * parseFloat(small));
  await page.getByRole("button", { name: "Leave projector view" }).click();
  assert.equal(await size(), small);
  await page.getByText("Show the program").click();
  await page.getByRole("region", { name: "The program of this lab in C" }).getByText("shmget").first().waitFor();
});

test("no lab is wider than a phone", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base, { width: 360 });
  for (const name of ["fifo_session", "reach"]) {
    await take(page, `/labs/${name}`);
    await page.locator(".lanes .lane").first().waitFor();
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.equal(overflow, 0, `${name} scrolls sideways by ${overflow} px`);
  }
});

test("whoever goes by keyboard goes on from what took the place of the control that was used", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  /** @param {string} selector @param {string} text */
  const focused = (selector, text) =>
    page.waitForFunction(
      ([one, said]) => document.activeElement?.matches(one) && document.activeElement.textContent === said,
      [selector, text],
    );
  await page.goto("/labs/pipe_gauge");
  await page.locator("#prediction").fill("0");
  await page.keyboard.press("Enter");
  await focused("button", "Run again");
  await page.keyboard.press("Enter");
  await page.waitForURL(/attempt=2$/);
  await focused("button", "Run again");
  await page.getByRole("button", { name: "Predict anew" }).focus();
  await page.keyboard.press("Enter");
  await focused("#prediction", "");
});

test("labs have no serious violation, light and dark", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await page.goto("/labs");
  await page.locator(".lab-item").first().waitFor();
  await expectAccessibleInBoth(page, "/labs");
  for (const name of ["pipe_gauge", "mmap_doubled"]) {
    await page.goto(`/labs/${name}`);
    await predictAnything(page);
    if (name === "pipe_gauge") await expectAccessibleInBoth(page, `${name} before`);
    await runPrediction(page);
    await page.evaluate(() =>
      document.querySelectorAll("details").forEach((one) => {
        one.open = true;
      }),
    );
    await page.locator(".source").waitFor();
    await expectAccessibleInBoth(page, name);
  }
});

/**
 * Somebody else tries a lab, and is done with it.
 * @param {import("./support.js").Server} server
 * @param {string} student
 * @param {object} prediction
 */
async function tryBeside(server, student, prediction) {
  const stream = await server.client.stream("attempts");
  const { json } = await server.client.post("/api/v1/labs/pipe_ends/attempts", { student, prediction });
  await stream.next(({ event, data }) => event === "attempt" && data.id === json.id && data.state === "done");
  stream.close();
}

test("what others said and saw is kept back from whoever has not tried the lab", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  await tryBeside(server, "Ada", { answer: "hangs" });
  await page.goto("/labs");
  await page.getByText("not tried yet").nth(15).waitFor();
  assert.equal(await page.getByText("A surprise").count(), 0, "nobody here was surprised");

  await page.goto("/labs/pipe_ends");
  const row = page.getByRole("table", { name: "Attempts" }).getByRole("row", { name: "Ada" });
  await row.waitFor();
  assert.doesNotMatch(await row.innerText(), /read returns 0|waits for ever/);
  const kept_back = page.getByText("is shown once you have tried it yourself");
  assert.ok(await kept_back.isVisible());

  await predictAnything(page);
  await runPrediction(page);
  assert.match(await row.innerText(), /waits for ever\s*✕ read returns 0/);
  assert.equal(await kept_back.isVisible(), false);
});

test("while a class tries a lab, the page counts along, and the focus stays", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  const mine = await take(page, "/labs/pipe_ends");
  const link = page.getByRole("table", { name: "Attempts" }).getByRole("link", { name: String(mine), exact: true });
  await link.focus();
  await tryBeside(server, "Ada", { answer: "hangs" });
  await tryBeside(server, "Bob", { answer: "hangs" });
  await page.getByRole("table", { name: "What everybody predicted" }).getByRole("row", { name: /It waits for ever\s*2/ }).waitFor();
  await page.getByRole("table", { name: "3 outcomes with these parameters" }).waitFor();
  assert.ok(await link.evaluate((one) => one === document.activeElement));
});

test("attempts that retention drops leave the list, and the lab that shows one says so", async (t) => {
  const server = await startServer(t, { wrap: ["env", "IPCLAB_KEEP_ATTEMPTS=0h"] });
  const page = await openPage(t, server.base);
  const attempt = await take(page, "/labs/pipe_gauge");
  const row = page.getByRole("table", { name: "Attempts" }).getByRole("link");
  await row.waitFor();
  const labs = await page.context().newPage();
  await labs.goto("/labs");
  const tried = labs.getByText("tried once");
  await tried.waitFor();
  await page.bringToFront();
  // It comes once a day, and after an import that was given up.
  await server.client.post("/api/v1/imports", "{}");
  await row.waitFor({ state: "detached" });
  await page.getByText("This attempt is no longer in the archive").waitFor();
  assert.equal(await page.getByRole("link", { name: "Hand in (JSON)" }).count(), 0);
  await tried.waitFor({ state: "detached" });
  assert.equal((await server.client.get(`/api/v1/attempts/${attempt}`)).status, 404);
});

test("an attempt whose record retention dropped says that it is gone, and keeps what came out", async (t) => {
  const server = await startServer(t, { wrap: ["env", "IPCLAB_KEEP_TIMELINES=0h"] });
  const page = await openPage(t, server.base);
  const attempt = await take(page, "/labs/pipe_gauge");
  const stream = await server.client.stream("attempts");
  await server.client.post("/api/v1/imports", "{}");
  await stream.next(({ event, data }) => event === "attempt" && data.record_dropped_ms !== null);
  stream.close();
  await page.goto(`/labs/pipe_gauge?attempt=${attempt}`);
  await page.getByText("What happened step by step is no longer kept").waitFor();
  await page.getByRole("region", { name: "4 · Explain" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Chrome trace" }).count(), 0);
  assert.equal(await page.getByRole("link", { name: "Hand in (JSON)" }).count(), 1);
});
