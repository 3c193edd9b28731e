/** Accessibility by axe-core: no serious or critical violation on the page as it stands. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axe_source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * @param {import("playwright-core").Page} page
 * @param {string} where
 */
async function expectAccessible(page, where) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe_source);
  const violations = await page.evaluate(async (runOnly) => {
    const { axe } = /** @type {any} */ (window);
    const { violations: found } = await axe.run(document, { runOnly });
    return found
      .filter((/** @type {any} */ one) => ["serious", "critical"].includes(one.impact))
      .map(
        (/** @type {any} */ one) =>
          `${one.id}: ${one.nodes.map((/** @type {any} */ node) => `${node.target} ${node.failureSummary}`).join(" | ")}`,
      );
  }, rules);
  assert.deepEqual(violations, [], where);
}

/**
 * The same in both themes, without loading anything again.
 * @param {import("playwright-core").Page} page
 * @param {string} where
 */
export async function expectAccessibleInBoth(page, where) {
  for (const theme of ["light", "dark"]) {
    await page.evaluate((one) => document.documentElement.setAttribute("data-theme", one), theme);
    await expectAccessible(page, `${where}, ${theme}`);
  }
}
