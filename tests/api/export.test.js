/**
 * A run leaves as a file and comes back as the same run; each format reads as what it says it is.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import hdr from "hdr-histogram-js";

import { findOperation } from "./support/description.js";
import { small, startServer, takeRun } from "./support/server.js";

const experiment = {
  ...small,
  mechanisms: ["pipe", "shm_sysv"],
  patterns: ["round_trip", "stream"],
  message_bytes: { round_trip: [64], stream: [4096] },
  trials: 2,
  duration_ms: 20,
  name: "=cmd|'/c calc' <img src=x onerror=alert(1)>",
  note: "a \"note\", with\r\nlines",
  tags: ["@tag"],
};

/** @param {import("./support/client.js").Client} client */
const exportOf = (client, /** @type {number} */ id, /** @type {string} */ format) => client.get(`/api/v1/runs/${id}/export?format=${format}`);

/**
 * RFC 4180, as a spreadsheet reads it.
 * @param {string} text
 */
function readCsv(text) {
  /** @type {string[][]} */
  const rows = [];
  let row = [""];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === '"' && text[i + 1] === '"') row[row.length - 1] += text[i++];
    else if (c === '"') quoted = !quoted;
    else if (!quoted && c === ",") row.push("");
    else if (!quoted && c === "\r" && text[i + 1] === "\n") {
      rows.push(row);
      row = [""];
      i++;
    } else row[row.length - 1] += c;
  }
  assert.deepEqual(row, [""], "the last line ends");
  const [names, ...lines] = rows;
  return lines.map((line) => {
    assert.equal(line.length, names.length);
    return Object.fromEntries(names.map((name, at) => [name, line[at]]));
  });
}

/** Lines of a histogram log, with each histogram as hdr-histogram-js reads it. @param {string} text */
function readLog(text) {
  return text.split("\n").filter((line) => line.startsWith("Tag=")).map((line) => {
    const [tag, begin_s, length_s, max_ms, base64] = line.split(",");
    return { tag: tag.slice(4), begin_s: Number(begin_s), length_s: Number(length_s), max_ms: Number(max_ms), histogram: hdr.decodeFromCompressedBase64(base64) };
  });
}

test("a run is exported, carried to another server and compared there", async (t) => {
  const here = await startServer(t);
  const there = await startServer(t);
  const run = await takeRun(here.client, experiment);
  const bundle = await exportOf(here.client, run.id, "json");
  assert.equal(bundle.status, 200);
  assert.equal(bundle.headers["content-disposition"], `attachment; filename="ipclab-${run.uid}.json"`);
  assert.equal(bundle.json.trials.length, 8);
  assert.ok(bundle.json.trials.every((/** @type {any} */ trial) => trial.series));

  const own = await takeRun(there.client, experiment);
  const came = await there.client.post("/api/v1/imports", bundle.text);
  assert.equal(came.status, 201);
  assert.equal(came.headers.location, `/api/v1/runs/${came.json.id}`);
  assert.equal(own.imported_ms, null);
  assert.ok(came.json.imported_ms > 0);
  const { id, imported_ms, rev, ...same } = came.json;
  assert.deepEqual({ ...run, ...same }, run, "everything else is as it was");

  assert.equal((await exportOf(there.client, id, "json")).text, bundle.text, "byte for byte");
  const [before, after] = [await here.client.get(`/api/v1/runs/${run.id}/results`), await there.client.get(`/api/v1/runs/${id}/results`)];
  assert.deepEqual(after.json.cases, before.json.cases);
  assert.equal((await there.client.get(`/api/v1/machines/${came.json.machine.full}`)).status, 200);
  const compared = await there.client.get(`/api/v1/compare?base=${id}&against=${own.id}`);
  assert.equal(compared.status, 200);
  assert.equal(compared.json.verdicts.length, 4);

  const again = await there.client.post("/api/v1/imports", bundle.text);
  assert.equal(again.status, 200);
  assert.equal(again.json.id, id);
  assert.equal((await there.client.get("/api/v1/runs")).json.runs.length, 2);
  assert.equal(rev, again.json.rev);
  assert.equal(imported_ms, again.json.imported_ms);

  await there.client.delete(`/api/v1/runs/${id}`);
  assert.equal((await there.client.post("/api/v1/imports", bundle.text)).status, 200);
  assert.equal((await there.client.get(`/api/v1/runs/${id}`)).status, 200, "it is back");
});

test("a damaged bundle is refused whole, and the place is named", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const { text, json } = await exportOf(client, run.id, "json");
  const fresh = { ...json, run: { ...json.run, uid: "01JZZZZZZZZZZZZZZZZZZZZZZZ" } };
  for (const [body, pointer] of /** @type {[string, string][]} */ ([
    [text.slice(0, -3), ""],
    [`${text}x`, ""],
    [text.replace(/"messages":\d+/, '"messages":1'), "/trials/0/checksum"],
    [text.replace(/"histogram":"A/, '"histogram":"B'), "/trials/0/histogram"],
    [text.replace('"case":0', '"case":9'), "/trials/0/case"],
    [text.replace('"note":', '"nota":'), "/run/nota"],
    [text.replace(/"run":/, '"runs":'), "/runs"],
    [JSON.stringify(fresh), "/run/checksum"],
    ["{}", "/format"],
    ["[]", ""],
    ["", ""],
  ])) {
    const { status, json: problem } = await client.post("/api/v1/imports", body);
    assert.equal(status, 400, pointer);
    assert.equal(problem.errors[0].pointer, pointer, JSON.stringify(problem));
  }
  assert.equal((await client.get("/api/v1/runs")).json.runs.length, 1);
  assert.equal((await client.post("/api/v1/imports?x=1", text)).status, 422);
  assert.equal((await client.post("/api/v1/imports", text, { "Content-Type": "text/plain" })).status, 415);
});

test("an import that is too long, or cut off, leaves the server as it was", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const { text } = await exportOf(client, run.id, "json");
  const declared = await client.post("/api/v1/imports", text, { "Content-Length": String(11 * 2 ** 30 + 1), Connection: "close" }).catch((error) => error);
  assert.ok(declared.status === 413 || declared.code, "refused before it comes");
  const padded = text.replace("{", `{${" ".repeat(2 << 20)}`);
  assert.equal((await client.post("/api/v1/imports", padded)).status, 200, "white space beyond other bodies' bound");
  assert.equal((await client.get("/healthz")).status, 200);
});

test("what is not over cannot be exported as a bundle, and what is not there not at all", async (t) => {
  const { client } = await startServer(t);
  const { json: run } = await client.post("/api/v1/runs", { ...small, trials: 400, duration_ms: 100 });
  assert.equal((await exportOf(client, run.id, "json")).status, 409);
  assert.equal((await exportOf(client, run.id, "csv")).status, 200);
  assert.equal((await exportOf(client, 99, "json")).status, 404);
  assert.equal((await exportOf(client, run.id, "xml")).status, 422);
  await client.post(`/api/v1/runs/${run.id}/cancel`);
});

test("csv, hlog and html say what the API says", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client, experiment);
  const { json: { trials } } = await client.get(`/api/v1/runs/${run.id}/trials?include=histogram`);

  const csv = await exportOf(client, run.id, "csv");
  assert.equal(csv.headers["content-type"], "text/csv");
  const rows = readCsv(csv.text);
  assert.equal(rows.length, trials.length);
  assert.equal(rows[0].name, `'${experiment.name}`, "no formula");
  for (const [at, trial] of trials.entries()) {
    assert.equal(Number(rows[at].messages), trial.messages);
    assert.equal(Number(rows[at].sequence), trial.sequence);
    for (const name of ["p50", "p90", "p99", "p999", "max"]) assert.equal(rows[at][`latency_${name}_ns`], String(trial.latency_ns?.[name] ?? ""), name);
    assert.match(rows[at].mechanism, /^(pipe|shm_sysv)$/);
  }

  const log = await exportOf(client, run.id, "hlog");
  assert.match(log.text, /^#\[Logged with ipclab.*\n#\[Histogram log format version 1\.3\]\n#\[StartTime: /);
  const lines = readLog(log.text);
  const measured = trials.filter((/** @type {any} */ trial) => trial.histogram);
  assert.equal(lines.length, measured.length);
  for (const [at, { tag, histogram, max_ms }] of lines.entries()) {
    const { buckets, count } = measured[at].histogram;
    assert.match(tag, new RegExp(`\\.trial${measured[at].sequence}$`));
    assert.equal(histogram.totalCount, count);
    assert.ok(Math.abs(max_ms * 1e6 - measured[at].latency_ns.max) < 1);
    for (const q of [0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1]) {
      let left = Math.max(1, Math.ceil(q * count));
      const bucket = buckets.find((/** @type {number[]} */ [, , n]) => (left -= n) <= 0);
      assert.equal(histogram.getValueAtPercentile(q * 100), bucket[1] - 1, `quantile ${q}`);
    }
  }

  const html = await exportOf(client, run.id, "html");
  assert.equal(html.headers["content-type"], "text/html");
  assert.ok(html.text.startsWith("<!doctype html>") && html.text.trimEnd().endsWith("</html>"));
  assert.ok(html.text.includes("&lt;img src=x onerror=alert(1)&gt;") && !html.text.includes("<img"));
  assert.doesNotMatch(html.text, /<script|<link|https?:|url\(|@import|src=(?!x )|\bhref=/, "asks nobody for anything");
  assert.equal(html.text.match(/<svg /g)?.length, 3);
  assert.ok(html.text.includes("prefers-color-scheme:dark") && html.text.includes("@media print"));
});

test("the description lists every format", () => {
  const { parameters } = findOperation("GET", "/api/v1/runs/1/export");
  assert.deepEqual(parameters.find((/** @type {any} */ one) => one.name === "format").schema.enum, ["json", "csv", "html", "hlog"]);
});
