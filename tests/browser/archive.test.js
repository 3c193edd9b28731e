import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { openPage, postRun, small_experiment, startServer, takeRun } from "./support.js";

const tiny = { ...small_experiment, mechanisms: ["pipe"], patterns: ["stream"] };

/**
 * @param {string} address
 * @param {object} changes
 */
async function patch(address, changes) {
  const etag = (await fetch(address)).headers.get("ETag") ?? "";
  const headers = { "Content-Type": "application/json", "If-Match": etag };
  const answer = await fetch(address, { method: "PATCH", headers, body: JSON.stringify(changes) });
  assert.equal(answer.status, 200);
}

test("runs are edited, pinned, deleted and brought back where they are listed", async (t) => {
  const server = await startServer(t);
  const run = await takeRun(server, { ...tiny, name: "as it was", tags: ["old"] });
  const address = `${server.base}/api/v1/runs/${run.id}`;
  const read = async () => (await fetch(address)).json();
  const page = await openPage(t, server.base);
  await page.goto("/runs");

  await page.getByRole("button", { name: `Edit name, tags and note of run ${run.id}` }).click();
  await page.getByLabel("Tags", { exact: true }).fill("mains, kernel 6.18");
  await page.getByLabel("Note", { exact: true }).fill("laptop on mains");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("laptop on mains").waitFor();
  assert.deepEqual((await read()).tags, ["mains", "kernel 6.18"]);

  await page.getByRole("button", { name: `Edit name, tags and note of run ${run.id}` }).click();
  await page.getByLabel("Name", { exact: true }).fill("mine");
  await patch(address, { name: "theirs" });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Somebody else changed this run").waitFor();
  assert.equal((await read()).name, "theirs", "nothing is overwritten unseen");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("link", { name: "theirs" }).waitFor();

  const pin = page.getByRole("button", { name: `Pin run ${run.id}` });
  await pin.click();
  await page.locator('.archive-pin[aria-pressed="true"]').waitFor();
  assert.equal((await read()).pinned, true);

  await page.getByRole("button", { name: `More about run ${run.id}` }).press("Enter");
  const menu = page.getByRole("list", { name: `More about run ${run.id}` });
  for (const format of ["json", "csv", "html", "hlog"])
    assert.equal(await menu.locator(`a[download][href$="/runs/${run.id}/export?format=${format}"]`).count(), 1);
  await page.keyboard.press("Escape");
  await menu.waitFor({ state: "detached" });
  await page.getByRole("button", { name: `More about run ${run.id}` }).click();
  await menu.getByRole("button", { name: "Delete" }).click();
  await page.getByText("No run has been taken yet.").waitFor();
  // The row went with the focus: Undo is at hand, and afterwards the page, not its head.
  await page.waitForFunction(() => document.activeElement?.textContent === "Undo");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "theirs" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
});

test("many runs come page by page, in the order and of the kind the address asks for", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, server.base);
  // What waits in the queue is in the archive, too; the first keeps the others waiting.
  const first = await postRun(server, { ...tiny, name: "zebra", trials: 1000, duration_ms: 1000, tags: ["odd one"] });
  const others = await Promise.all(
    Array.from({ length: 59 }, (_, i) => postRun(server, { ...tiny, name: `waiting ${String(i).padStart(2, "0")}` })),
  );
  const rows = page.locator("table.runs tbody tr");
  await page.goto("/runs");
  await rows.nth(49).waitFor();
  assert.equal(await rows.count(), 50);
  const on_first = await rows.first().textContent();
  await page.getByRole("link", { name: "Next page" }).click();
  await page.waitForURL(/cursor=/);
  await page.locator("table.runs tbody tr:nth-child(10):last-child", { hasText: "zebra" }).waitFor();
  await page.reload();
  await page.locator("table.runs tbody tr:nth-child(10):last-child", { hasText: "zebra" }).waitFor();
  await page.goBack();
  await rows.nth(49).waitFor();
  assert.equal(await rows.first().textContent(), on_first);

  await page.getByRole("button", { name: "Name, tags and note", exact: true }).click();
  await page.waitForURL(/sort=name/);
  await page.getByRole("columnheader", { name: /Name/ }).and(page.locator('[aria-sort="ascending"]')).waitFor();
  await page.locator("table.runs tbody tr:first-child", { hasText: "waiting 00" }).waitFor();

  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/sort=id/);
  await page.locator("table.runs tbody tr:first-child", { hasText: "zebra" }).waitFor();

  await page.getByRole("link", { name: "odd one" }).click();
  await page.waitForURL(/tag=odd/);
  await page.locator("table.runs tbody tr:only-child", { hasText: "zebra" }).waitFor();
  await page.getByLabel("Until").fill("2001-01-01");
  await page.getByText("No run matches.").waitFor();
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByLabel("Machine").selectOption({ label: "this one" });
  await page.locator("table.runs tbody tr:only-child", { hasText: "zebra" }).waitFor();

  for (const { id } of [...others, first])
    await fetch(`${server.base}/api/v1/runs/${id}/cancel`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
    });
});

test("ticked runs stay ticked through a search, and are compared", async (t) => {
  const server = await startServer(t);
  const base = await takeRun(server, { ...tiny, name: "before" });
  const against = await takeRun(server, { ...tiny, name: "after" });
  const page = await openPage(t, server.base);
  await page.goto(`/runs/${base.id}`);
  await page.getByRole("link", { name: "Compare with…" }).click();
  await page.waitForURL(new RegExp(`/runs\\?selected=${base.id}$`));
  assert.ok(await page.getByRole("checkbox", { name: `Select run ${base.id}` }).isChecked());
  const selected = page.getByRole("region", { name: "Selected runs" });
  await selected.getByText("Tick what to hold against it.").waitFor();

  await page.getByRole("searchbox").fill("after");
  await page.getByRole("checkbox", { name: `Select run ${base.id}` }).waitFor({ state: "detached" });
  await page.getByRole("checkbox", { name: `Select run ${against.id}` }).press("Space");
  await selected.getByText("2 runs selected").waitFor();
  await selected.getByRole("link", { name: "Compare" }).click();
  await page.getByRole("heading", { level: 1, name: `#${against.id} against #${base.id}` }).waitFor();
});

test("a bundle goes from one archive to another, once; a damaged one is refused with the place", async (t) => {
  const here = await startServer(t);
  const there = await startServer(t);
  const run = await takeRun(here, { ...tiny, name: "carried over" });
  const page = await openPage(t, here.base);
  await page.goto("/runs");
  await page.getByRole("button", { name: `More about run ${run.id}` }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: /^Bundle/ }).click(),
  ]);
  const bundle = join(here.data, "bundle.json");
  await download.saveAs(bundle);

  await page.goto(`${there.base}/runs`);
  await page.getByText("No run has been taken yet.").waitFor();
  const chooser = page.locator('input[type="file"]');
  await chooser.setInputFiles(bundle);
  await page.getByText(/bundle\.json: imported as/).waitFor();
  await page.getByRole("link", { name: "carried over" }).waitFor();

  const text = await readFile(bundle, "utf8");
  const dropped = await page.evaluateHandle((content) => {
    const data = new DataTransfer();
    data.items.add(new File([content], "again.json", { type: "application/json" }));
    return data;
  }, text);
  await page.dispatchEvent("main", "dragover", { dataTransfer: dropped });
  await page.getByText("Drop bundles").waitFor();
  await page.dispatchEvent("main", "drop", { dataTransfer: dropped });
  await page.getByText(/again\.json: is in the archive already/).waitFor();
  await page.getByText("Drop bundles").waitFor({ state: "hidden" });
  assert.equal(await page.locator("table.runs tbody tr").count(), 1);

  const damaged = join(here.data, "damaged.json");
  await writeFile(damaged, text.slice(0, text.length / 2));
  await chooser.setInputFiles(damaged);
  await page.locator(".archive-import.bad", { hasText: "damaged.json" }).waitFor();
  assert.match((await page.locator(".archive-import.bad").textContent()) ?? "", /damaged\.json: .{10}/);
});
