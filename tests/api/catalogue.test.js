import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

import { description, resolve } from "./support/description.js";
import { build, startServer, takeRun } from "./support/server.js";

const methods = ["get", "post", "patch", "delete", "put", "head", "options", "trace"];

test("the route table and the description name the same operations", () => {
  const served = execFileSync(join(build, "ipclab"), ["routes"], { encoding: "utf8" }).trim().split("\n").sort();
  const described = Object.entries(description.paths)
    .flatMap(([path, item]) => Object.keys(item).filter((key) => methods.includes(key)).map((method) => `${method.toUpperCase()} ${path}`))
    .sort();
  assert.ok(served.length > 10);
  assert.deepEqual(served, described);
});

test("every operation takes the query parameters it describes, and no other", async (t) => {
  const { client } = await startServer(t);
  const operations = Object.entries(description.paths).filter(([path, item]) => item.get && path !== "/api/v1/events");
  const named = (/** @type {any} */ item) =>
    (item.get.parameters ?? []).map(resolve).filter((/** @type {any} */ one) => one.in === "query").map((/** @type {any} */ one) => one.name);
  const all = new Set([...operations.flatMap(([, item]) => named(item)), "nonsense"]);
  for (const [path, item] of operations) {
    for (const name of all) {
      const { status, json } = await client.get(`${path.replace("{id}", "1").replace("{name}", "a")}?${name}=`);
      const refused = status === 422 && json.errors.some((/** @type {any} */ one) => one.pointer === `?${name}` && one.detail.startsWith("unknown parameter"));
      assert.equal(refused, !named(item).includes(name), `${path}?${name}`);
    }
  }
});

test("every operation describes what it takes and answers", () => {
  for (const [path, item] of Object.entries(description.paths)) {
    for (const method of methods.filter((one) => item[one])) {
      const where = `${method} ${path}`;
      const operation = item[method];
      assert.ok(operation.operationId && operation.summary && operation.tags, where);
      for (const status of ["400", "403", "421", "422"]) assert.ok(operation.responses[status], `${where} ${status}`);
      if (method !== "get") for (const status of ["413", "415"]) assert.ok(operation.responses[status], `${where} ${status}`);
      if (path.includes("{id}")) assert.ok(operation.responses["404"], `${where} 404`);
    }
  }
});

test("what an experiment leaves out is what the description says", async (t) => {
  const { client } = await startServer(t);
  const { properties } = description.components.schemas.Experiment;
  const { json: { experiment } } = await client.post("/api/v1/runs", { mechanisms: ["pipe"] });
  const drawn = ["mechanisms", "seed"];
  const { json: { cpus } } = await client.get("/api/v1/machine");
  if (cpus === 1) drawn.push("placement", "wait");
  for (const name of Object.keys(experiment).filter((one) => !drawn.includes(one))) {
    assert.ok("default" in properties[name], `${name} has no default`);
    assert.deepEqual(experiment[name], properties[name].default, name);
  }
  for (const item of Object.values(description.paths)) {
    for (const parameter of (item.patch?.parameters ?? []).map(resolve).filter((/** @type {any} */ one) => one.name === "If-Match")) assert.equal(parameter.required, true);
  }
});

test("the catalogue tells what there is, its traits, and what is missing", async (t) => {
  const { client } = await startServer(t);
  const { json } = await client.get("/api/v1/mechanisms");
  const names = json.mechanisms.map((/** @type {any} */ one) => one.name);
  for (const name of ["pipe", "shm_sysv", "unix_stream"]) assert.ok(names.includes(name), name);
  assert.equal(new Set(names).size, names.length);
  for (const one of json.mechanisms) assert.equal(one.unavailable_reason === null, one.available, one.name);
});

test("presets are whole experiments that can be asked for as they are", async (t) => {
  const { client } = await startServer(t);
  const { json } = await client.get("/api/v1/presets");
  assert.deepEqual(json.presets.map((/** @type {any} */ one) => one.name), ["quick", "standard", "thorough"]);
  for (const { name, experiment, estimated_ms } of json.presets) {
    assert.equal(experiment.preset, name);
    assert.equal("seed" in experiment, false, "each run draws its own");
    assert.ok(estimated_ms > 0);
    const { status, json: run } = await client.post("/api/v1/runs", experiment);
    assert.equal(status, 202, name);
    assert.deepEqual(run.experiment.mechanisms, experiment.mechanisms);
    await client.post(`/api/v1/runs/${run.id}/cancel`);
  }
});

test("the machine is told apart by two hashes", async (t) => {
  const { client } = await startServer(t);
  const { json } = await client.get("/api/v1/machine");
  assert.ok(json.facts.kernel && json.facts.cpu_model);
  assert.notEqual(json.comparable, json.full);
});

test("what does not change is not sent twice", async (t) => {
  const { client } = await startServer(t);
  for (const path of ["/api/v1/mechanisms", "/api/v1/presets", "/api/v1/openapi.json", "/api/v1/openapi.yaml"]) {
    const first = await client.get(path);
    assert.match(first.headers.etag, /^"[^"]+"$/, path);
    const second = await client.get(path, { "If-None-Match": `"other", ${first.headers.etag}` });
    assert.equal(second.status, 304, path);
    assert.equal(second.headers.etag, first.headers.etag);
    assert.equal((await client.get(path, { "If-None-Match": '"other"' })).status, 200, path);
  }
});

test("the description is served as it is written, and as the same in JSON", async (t) => {
  const { client } = await startServer(t);
  const { json } = await client.get("/api/v1/openapi.json");
  assert.deepEqual(json, description);
  const { headers } = await client.get("/api/v1/openapi.yaml");
  assert.equal(headers["content-type"], "application/yaml");
  /* What an answer gives to go on with is what the next request takes. */
  const lists = Object.values(json.paths).map(({ get }) => get?.parameters?.find((/** @type {any} */ one) => one.name === "cursor")).filter(Boolean);
  assert.ok(lists.length >= 5);
  assert.deepEqual(lists.map(({ schema }) => schema.type), lists.map(() => "string"));
});

test("health and metrics tell the same as the API", async (t) => {
  const { client } = await startServer(t);
  const { json: health } = await client.get("/healthz");
  assert.equal(health.status, "ok");
  assert.equal(health.archive, "ok");
  assert.equal(health.run, null);
  const { text, headers } = await client.get("/metrics");
  assert.match(headers["content-type"], /^application\/openmetrics-text; version=1\.0\.0/);
  assert.match(text, /# EOF\n$/);
  assert.match(text, /^ipclab_runs\{state="done"\} 0$/m);
  assert.match(text, /^ipclab_http_connections \d+$/m);
  for (const line of text.trimEnd().split("\n")) assert.match(line, /^(# (TYPE|HELP) \w+ .+|# EOF|\w+(\{\w+="[^"]*"\})? -?[0-9.e+-]+)$/);
});

test("the machine of a run is kept with its facts", async (t) => {
  const { client } = await startServer(t);
  const run = await takeRun(client);
  const { status, json } = await client.get(`/api/v1/machines/${run.machine.full}`);
  const { json: here } = await client.get("/api/v1/machine");
  assert.equal(status, 200);
  assert.deepEqual(json, { comparable: here.comparable, full: here.full, facts: here.facts });
  assert.equal((await client.get(`/api/v1/machines/${"0".repeat(32)}`)).status, 404);
});
