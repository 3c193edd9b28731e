import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import { startServer } from "./support/server.js";

const web = fileURLToPath(new URL("../../web", import.meta.url));
/** @param {string} directory @returns {string[]} */
const filesUnder = (directory) =>
  readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
const types = /** @type {Record<string, string>} */ ({ html: "text/html; charset=utf-8", css: "text/css; charset=utf-8", js: "text/javascript; charset=utf-8", svg: "image/svg+xml", json: "application/json" });

test("every file of the page is served as it is, and compressed to who asks for it", async (t) => {
  const { client } = await startServer(t);
  // What is for developers alone is not part of the page: see web_files in the Makefile.
  const files = filesUnder(web).filter((file) => !/(\.md|\/package\.json)$|\/\./.test(file.slice(web.length)));
  assert.ok(files.length > 10);
  for (const file of files) {
    const path = file.slice(web.length);
    const contents = readFileSync(file);
    const plain = /** @type {any} */ (await client.get(path));
    assert.equal(plain.status, 200, path);
    assert.ok(plain.bytes.equals(contents), path);
    assert.equal(plain.headers["content-type"], types[path.split(".").pop() ?? ""], path);
    assert.equal(plain.headers["cache-control"], "no-cache", path);
    const zipped = /** @type {any} */ (await client.get(path, { "Accept-Encoding": "br, gzip" }));
    if (zipped.headers["content-encoding"] === "gzip") {
      assert.ok(gunzipSync(zipped.bytes).equals(contents), path);
      assert.ok(zipped.bytes.length < contents.length, path);
      assert.notEqual(zipped.headers.etag, plain.headers.etag, "two forms, two tags");
      assert.equal(plain.headers.vary, "Accept-Encoding", path);
      assert.equal(zipped.headers.vary, "Accept-Encoding", path);
    }
    for (const { headers } of [plain, zipped]) {
      const again = await client.get(path, { "If-None-Match": headers.etag, ...(headers["content-encoding"] ? { "Accept-Encoding": "gzip" } : {}) });
      assert.deepEqual([again.status, again.text], [304, ""], path);
    }
  }
});

test("where nothing is, a browser is sent a page that says so, and a program a problem", async (t) => {
  const { base, client } = await startServer(t);
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  const absent = readFileSync(join(web, "not-found.html"), "utf8");
  for (const path of ["/nope", "/runsx/1?a=b", "/js/none.js"]) {
    const answer = await fetch(base + path, { headers: { Accept: browser } });
    assert.deepEqual([answer.status, await answer.text()], [404, absent], path);
    assert.equal(answer.headers.get("Content-Type"), types.html);
    assert.match(answer.headers.get("Content-Security-Policy") ?? "", /default-src 'self'/);
    assert.equal(answer.headers.get("Cache-Control"), "no-store");
  }
  const head = await fetch(`${base}/nope`, { method: "HEAD", headers: { Accept: browser } });
  assert.deepEqual([head.status, head.headers.get("Content-Type"), await head.text()], [404, types.html, ""]);
  /** @type {[string, string|null][]} */
  const programs = [["/nope", null], ["/nope", "*/*"], ["/nope", "application/json"], ["/nope", "text/html;q=0, */*"], ["/api/v1/nope", browser], ["/api/v1/runs/1", browser]];
  for (const [path, accept] of programs) {
    const { status, headers } = await client.get(path, { Accept: accept });
    assert.deepEqual([status, headers["content-type"]], [404, "application/problem+json"], `${path} ${accept}`);
  }
  assert.equal((await client.post("/nope", {}, { Accept: browser })).status, 404);
});

test("the addresses of views answer the page, others do not", async (t) => {
  const { client } = await startServer(t);
  const index = readFileSync(join(web, "index.html"), "utf8");
  for (const path of ["/", "/runs", "/runs/17", "/compare", "/compare?base=1", "/trends", "/labs", "/labs/pipe_gauge", "/claims", "/claims/38", "/api", "/docs", "/index.html"]) {
    const { status, text } = await client.get(path);
    assert.deepEqual([status, text === index], [200, true], path);
  }
  for (const path of ["/runsx", "/compare/1", "/favicon.ico", "/js", "/js/", "/js/none.js", "/web/index.html", "/.git/config", "/api/x"]) {
    assert.equal((await client.get(path)).status, 404, path);
  }
});
