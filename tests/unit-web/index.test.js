import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const web = resolve(dirname(fileURLToPath(import.meta.url)), "../../web");
const page = readFileSync(join(web, "index.html"), "utf8");

/** @param {RegExp} pattern @param {string} text */
const all = (pattern, text) => [...text.matchAll(pattern)].map((match) => match[1]);

/** @param {string} folder @returns {string[]} */
function filesBelow(folder) {
  return readdirSync(join(web, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [`/${join(folder, entry.name)}`],
  );
}

test("every module the page imports is preloaded, and nothing else", () => {
  const seen = new Set();
  /** @param {string} file */
  const visit = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const target of all(/^(?:import|export)[^;]*?from "([^"]+)";/gm, readFileSync(file, "utf8")))
      visit(resolve(dirname(file), target));
  };
  visit(join(web, "js/main.js"));
  const imported = [...seen].map((file) => file.slice(web.length)).filter((file) => file !== "/js/main.js");
  assert.deepEqual(all(/rel="modulepreload" href="([^"]+)"/g, page).sort(), imported.sort());
});

test("every style sheet is linked and every link exists", () => {
  const linked = all(/rel="stylesheet" href="([^"]+)"/g, page);
  assert.deepEqual(
    [...linked].sort(),
    [...filesBelow("css"), ...filesBelow("components")].filter((file) => file.endsWith(".css")).sort(),
  );
  for (const file of all(/(?:href|src)="(\/[^"]*\.[^"]+)"/g, page)) assert.ok(existsSync(join(web, file)), file);
});

test("the page holds nothing its content security policy would refuse", () => {
  assert.doesNotMatch(page, /<script(?![^>]*src=)|\son\w+=|\sstyle=|<style/);
});
