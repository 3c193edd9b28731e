/**
 * The commands beside serve, as a shell meets them: what they write, and their exit statuses.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";

import { build, long, small, startServer, takeRun, waitForRun } from "./support/server.js";

const several = { ...small, trials: 8, placement: "same_cpu" };

/**
 * @param {string[]} words
 * @returns {Promise<{status: number, out: string, err: string}>}
 */
function ipclab(...words) {
  return new Promise((settle) => {
    execFile(join(build, "ipclab"), words, { maxBuffer: 1 << 26 }, (error, out, err) => settle({ status: error ? Number(error.code) : 0, out, err }));
  });
}

/** `ipclab run`, while it goes on. @param {string[]} words */
function follow(...words) {
  const child = spawn(join(build, "ipclab"), ["run", ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let err = "";
  child.stderr.on("data", (chunk) => { err += chunk; });
  const first = once(createInterface({ input: child.stdout }), "line");
  const ended = once(child, "close").then(([status, signal]) => ({ status, signal, err }));
  return { child, line: async () => String((await Promise.race([first, ended.then((end) => [end.err])]))[0]), ended };
}

/** @param {import("node:test").TestContext} t */
async function scratch(t) {
  const directory = await mkdtemp(join(tmpdir(), "ipclab-commands-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

test("an option that cannot be is refused by the name it was given under", async (t) => {
  const flag = await ipclab("serve", "--port", "65536");
  assert.deepEqual([flag.status, flag.err], [2, "ipclab: --port 65536: must be 0 to 65535\n"]);
  process.env.IPCLAB_PORT = "http";
  t.after(() => delete process.env.IPCLAB_PORT);
  const variable = await ipclab("serve");
  assert.deepEqual([variable.status, variable.err], [2, "ipclab: IPCLAB_PORT=http: must be 0 to 65535\n"]);
});

test("a data directory that cannot be is refused with what to do", async (t) => {
  const file = join(await scratch(t), "file");
  await writeFile(file, "no directory");
  for (const data of [file, join(file, "below"), "/proc/ipclab"]) {
    const { status, err } = await ipclab("serve", "--port", "0", "--data", data);
    assert.equal(status, 1, data);
    assert.match(err, /^ipclab: [^\n]+\. Name a directory that user \d+ may write, by --data DIR or IPCLAB_DATA\n$/);
  }
});

test("export and import carry runs from server to server", async (t) => {
  const directory = await scratch(t);
  const [here, there] = [await startServer(t), await startServer(t)];
  const [from, to] = [here, there].map(({ port }) => ["--server", `http://127.0.0.1:${port}/`]);
  const run = await takeRun(here.client);
  const file = join(directory, "run.json");
  assert.deepEqual(await ipclab("export", String(run.id), "-o", file, ...from), { status: 0, out: "", err: "" });
  assert.deepEqual(await readdir(directory), ["run.json"]);
  const printed = await ipclab("export", `${run.id}`, ...from);
  assert.equal(printed.out, await readFile(file, "utf8"));
  for (const [format, begin] of [["csv", "run,name,"], ["hlog", "#[Logged"], ["html", "<!doctype html>"]]) {
    assert.ok((await ipclab("export", `${run.id}`, `--format=${format}`, ...from)).out.startsWith(begin), format);
  }

  assert.match((await ipclab("import", file, ...to)).out, new RegExp(`run 1, ${run.uid}\n$`));
  const again = await ipclab("import", file, ...to);
  assert.equal(again.status, 0);
  assert.match(again.out, /there already/);
  const damaged = join(directory, "damaged.json");
  await writeFile(damaged, printed.out.replace(/"messages":\d+/, '"messages":1'));
  const refused = await ipclab("import", damaged, file, join(directory, "none.json"), ...to);
  assert.equal(refused.status, 1);
  assert.match(refused.err, /\/trials\/0\/checksum: does not match/);
  assert.match(refused.err, /none\.json/);
  assert.match(refused.out, /there already/, "the others are taken all the same");

  /* Whoever else may write in the directory does not choose what is written over. */
  const letter = join(directory, "letter.txt");
  await writeFile(letter, "dear");
  await symlink(letter, `${file}.part`);
  assert.equal((await ipclab("export", String(run.id), "-o", file, ...from)).status, 0);
  assert.equal(await readFile(letter, "utf8"), "dear");

  const piped = spawnSync(join(build, "ipclab"), ["import", "-", ...to], { input: printed.out, encoding: "utf8" });
  assert.deepEqual([piped.status, piped.stdout], [0, `-: run 1, ${run.uid}, which was there already\n`]);
  const unreadable = await ipclab("import", directory, ...to);
  assert.deepEqual([unreadable.status, unreadable.err], [1, "ipclab: read what is to be sent: Is a directory\n"]);

  assert.equal((await ipclab("export", "99", ...from)).status, 2);
  assert.equal((await ipclab("export", "1", "--format", "xml", ...from)).status, 2);
  assert.equal((await ipclab("export")).status, 2);
  const full = spawnSync("sh", ["-c", '"$0" export "$1" --server "$2" > /dev/full', join(build, "ipclab"), String(run.id), from[1]], { encoding: "utf8" });
  assert.equal(full.status, 1, "the server answers, the disk does not take it");
  assert.match(full.stderr, /No space left on device/);
  assert.equal((await ipclab("export", "1", "2")).status, 2);
  const { port } = here;
  await here.stop();
  assert.equal((await ipclab("export", "1", "--server", `http://127.0.0.1:${port}`)).status, 69);
});

test("compare is a gate", async (t) => {
  const { client, port } = await startServer(t);
  const server = ["--server", `http://127.0.0.1:${port}`];
  const [base, same, few, other] = [await takeRun(client, several), await takeRun(client, several), await takeRun(client, { ...several, trials: 1 }), await takeRun(client, { ...several, message_bytes: [128] })];
  const gated = async (/** @type {any[]} */ ...words) => (await ipclab("compare", ...words.map(String), ...server)).status;
  const shown = await ipclab("compare", `${base.id}`, `${same.id}`, ...server);
  assert.equal(shown.status, 0);
  assert.match(shown.out, /^against +mechanism[^\n]+\n2 +pipe +round_trip +64 B +p50 +[0-9.]+ \[[0-9.]+, [0-9.]+\] +(faster|slower|same|inconclusive)\n$/);
  assert.equal(await gated(base.id, same.id, "--max-slower=1000%"), 0, "ten times slower it is not");
  assert.equal(await gated(base.id, other.id, "--max-slower", "5%"), 4, "no case in common");
  assert.ok([3, 5].includes(await gated(base.id, few.id, "--max-slower", "5%")), "one trial decides nothing");
  assert.equal(await gated(base.id, 99), 2);
  assert.equal(await gated(base.id, same.id, "--max-slower", "much"), 2);
  assert.equal(await gated(base.id), 2);
  assert.equal(await gated(base.id, same.id, "--maximum", "5%"), 2);
  const json = await ipclab("compare", `${base.id}`, `${same.id}`, "--json", ...server);
  assert.equal(JSON.parse(json.out).base, base.id);
});

test("a gate that is not answered does not pass", async (t) => {
  let answer = {};
  const server = createServer((_, response) => response.setHeader("Content-Type", "application/json").end(JSON.stringify(answer)));
  await new Promise((settle) => { server.listen(0, "127.0.0.1", () => settle(null)); });
  t.after(() => server.close());
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  const compare = ["compare", "1", "2", "--server", `http://127.0.0.1:${address.port}`];
  assert.equal((await ipclab(...compare)).status, 0);
  assert.equal((await ipclab(...compare, "--max-slower", "5%")).status, 69);
  answer = { gate: "a word of a later version" };
  assert.equal((await ipclab(...compare, "--max-slower", "5%")).status, 69);
  server.prependOnceListener("request", (_, response) => { response.statusCode = 429; });
  assert.equal((await ipclab("run", "--preset", "quick", "--server", compare[4])).status, 69, "so many runs wait that it takes no more");
  answer = { gate: "pass" };
  assert.equal((await ipclab(...compare, "--max-slower", "5%")).status, 0);
});

test("run takes an experiment, follows it to its end, and its exit status tells how it ended", async (t) => {
  const directory = await scratch(t);
  const { client, port, base } = await startServer(t);
  const server = ["--server", `http://127.0.0.1:${port}/`];
  const file = join(directory, "small.json");
  await writeFile(file, JSON.stringify(small));
  assert.deepEqual(await ipclab("run", "--experiment", file, "--wait", ...server), { status: 0, out: "1\n", err: "" });
  assert.equal((await client.get("/api/v1/runs/1")).json.state, "done");
  assert.equal(spawnSync(join(build, "ipclab"), ["run", "--experiment", "-", ...server], { input: JSON.stringify(small), encoding: "utf8" }).stdout, "2\n");
  await waitForRun(client, 2);

  /* A run of several seconds, cancelled and deleted from elsewhere while it is waited for. */
  await writeFile(file, JSON.stringify(long));
  const following = follow("--experiment", file, "--wait", ...server);
  const id = Number(await following.line());
  await waitForRun(client, id, ({ state }) => state === "running");
  assert.equal((await client.post(`/api/v1/runs/${id}/cancel`, {})).status, 202);
  const { status, err } = await following.ended;
  assert.equal(status, 1);
  assert.equal(err, `ipclab: run ${id} was cancelled\n`);

  const named = await ipclab("run", "--preset", "quick", "--name", "gate", "--note", "a \"note\"", "--tag", "ci", "--tag=nightly", "--trials", "1", ...server);
  assert.equal(named.status, 0);
  const { json } = await client.get(`/api/v1/runs/${named.out.trim()}`);
  assert.deepEqual([json.name, json.note, json.tags, json.experiment.preset, json.experiment.trials], ["gate", 'a "note"', ["ci", "nightly"], "quick", 1]);
  await client.post(`/api/v1/runs/${json.id}/cancel`, {});

  for (const words of [[], ["--preset", "slow"], ["--preset", "quick", "--trials", "few"], ["--preset", "quick", "--trials", "0"],
    ["--preset", "quick", "--wait", "--reconnect", "soon"], ["--preset", "quick", "--wait", "--reconnect", "-1"],
    ["--preset", "quick", "--experiment", file], ["--experiment", file, "--tag", "ci"], ["--experiment", join(directory, "none")], ["--experiment", directory], ["quick"]]) {
    const refused = await ipclab("run", ...words, ...server);
    assert.deepEqual([refused.status, refused.out], [2, ""], words.join(" "));
    assert.match(refused.err, /^ipclab: /);
  }
  assert.equal((await client.get("/api/v1/runs")).json.runs.length, 4, "what was refused left no run");
  assert.equal(base, `http://127.0.0.1:${port}`);
});

test("whoever stops waiting for a run leaves it going, and is told so; a server that goes away is told too", async (t) => {
  const server = await startServer(t);
  const file = join(await scratch(t), "long.json");
  await writeFile(file, JSON.stringify(long));
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    const following = follow("--experiment", file, "--wait", "--server", server.base);
    const id = Number(await following.line());
    following.child.kill(signal);
    const stopped = await following.ended;
    assert.deepEqual([stopped.signal, stopped.err], [signal, `ipclab: run ${id} goes on\n`]);
    const run = await waitForRun(server.client, id, ({ state }) => state === "running");
    assert.equal(run.state, "running");
    await server.client.post(`/api/v1/runs/${id}/cancel`, {});
  }
  const following = follow("--experiment", file, "--wait", "--reconnect", "0", "--server", server.base);
  const id = Number(await following.line());
  await waitForRun(server.client, id, ({ state }) => state === "running");
  await server.stop();
  const left = await following.ended;
  assert.equal(left.status, 69);
  assert.match(left.err, new RegExp(`^ipclab: wait for run ${id}: [^\n]+\n$`));
});

test("a server that is killed and comes back finds whoever waits for its run still waiting", async (t) => {
  const directory = await scratch(t);
  const [data, file] = [join(directory, "data"), join(directory, "several.json")];
  await writeFile(file, JSON.stringify({ ...small, trials: 12, duration_ms: 100 }));
  const first = await startServer(t, { data });
  const following = follow("--experiment", file, "--wait", "--server", first.base);
  const id = Number(await following.line());
  await waitForRun(first.client, id, ({ trials_done }) => trials_done > 1);
  const noticed = once(following.child.stderr, "data");
  await first.crash();
  await noticed;
  const second = await startServer(t, { data, port: first.port });
  const { status, err } = await following.ended;
  assert.equal(status, 0, err);
  assert.match(err, new RegExp(`^ipclab: wait for run ${id}: [^\n]+; looking for the server for 60 s\n$`), "said once");
  const { json } = await second.client.get(`/api/v1/runs/${id}`);
  assert.deepEqual([json.state, json.trials_done], ["done", 12]);
});

test("whoever waits for a run is not told how another run of that number went", async (t) => {
  const file = join(await scratch(t), "long.json");
  await writeFile(file, JSON.stringify(long));
  const first = await startServer(t);
  const following = follow("--experiment", file, "--wait", "--server", first.base);
  const id = Number(await following.line());
  const noticed = once(following.child.stderr, "data");
  await first.stop();
  await noticed;
  const other = join(await scratch(t), "data");
  const between = await startServer(t, { data: other });
  assert.equal((await takeRun(between.client)).id, id);
  await between.stop();
  await startServer(t, { data: other, port: first.port });
  const { status, err } = await following.ended;
  assert.equal(status, 69);
  assert.match(err, new RegExp(`wait for run ${id}: [^\n]+ has another run of that number`));
});

test("the gate of a build is two lines", async (t) => {
  const { client, port } = await startServer(t);
  process.env.IPCLAB_SERVER = `http://127.0.0.1:${port}`;
  t.after(() => delete process.env.IPCLAB_SERVER);
  const run = await takeRun(client, several);
  const gate = spawnSync("sh", ["-ec", 'run=$(printf "%s" "$1" | "$0" run --experiment - --wait)\n"$0" compare "$2" "$run" --max-slower 1000%', join(build, "ipclab"), JSON.stringify(several), String(run.id)], { encoding: "utf8" });
  assert.deepEqual([gate.status, gate.stderr], [0, ""]);
  assert.match(gate.stdout, /^gate: pass\b/m);
});

test("backup copies a running archive, and verify finds one flipped byte in the copy", async (t) => {
  const directory = await scratch(t);
  const server = await startServer(t);
  const run = await takeRun(server.client, several);
  const copy = join(directory, "copy.db");
  assert.equal((await ipclab("backup", copy, "--data", server.data)).status, 0);
  assert.equal((await ipclab("backup", copy, `--data=${server.data}`)).status, 0, "over an older copy");
  assert.deepEqual(await ipclab("verify", "--data", server.data), { status: 0, out: `${server.data}/ipclab.db is whole\n`, err: "" });
  assert.equal((await ipclab("verify", copy)).status, 0);
  assert.deepEqual(await readdir(directory), ["copy.db"], "nothing is left beside it");

  const other = join(directory, "letter.txt");
  await writeFile(other, "dear");
  assert.equal((await ipclab("backup", other, "--data", server.data)).status, 1);
  assert.equal(await readFile(other, "utf8"), "dear");
  assert.equal((await ipclab("backup", join(server.data, "ipclab.db"), "--data", server.data)).status, 1);
  const neighbour = await startServer(t);
  const refused = await ipclab("backup", join(neighbour.data, "ipclab.db"), "--data", server.data);
  assert.equal(refused.status, 1);
  assert.match(refused.err, /is in use/);
  assert.equal((await ipclab("verify", other)).status, 78);
  assert.equal((await ipclab("verify", "--data", directory)).status, 78);

  /* A byte in the middle of a trial's histogram. */
  const bundle = await server.client.get(`/api/v1/runs/${run.id}/export`);
  const { histogram } = bundle.json.trials[2];
  const blob = Buffer.from(histogram, "base64");
  const bytes = await readFile(copy);
  const at = bytes.indexOf(blob);
  assert.ok(at > 0);
  bytes[at + blob.length / 2 | 0] ^= 4;
  const flipped = join(directory, "flipped.db");
  await writeFile(flipped, bytes);
  const found = await ipclab("verify", flipped);
  assert.equal(found.status, 1);
  assert.equal(found.out, "the histogram of trial 3 does not match its checksum\n");
  assert.deepEqual(await readFile(flipped), bytes, "it was only read");

  /* The copy is an archive. */
  const second = join(directory, "second");
  await mkdir(second);
  await copyFile(copy, join(second, "ipclab.db"));
  const restored = await startServer(t, { data: second });
  assert.equal((await restored.client.get(`/api/v1/runs/${run.id}/export`)).text, bundle.text);
});

test("retention drops what is old, says so, and leaves the figures", async (t) => {
  const data = join(await scratch(t), "data");
  const first = await startServer(t, { data });
  const [run, pinned] = [await takeRun(first.client), await takeRun(first.client)];
  const { headers } = await first.client.get(`/api/v1/runs/${pinned.id}`);
  await first.client.patch(`/api/v1/runs/${pinned.id}`, { pinned: true }, { "If-Match": headers.etag });
  const before = await first.client.get(`/api/v1/runs/${run.id}/results`);
  await first.stop();

  const second = await startServer(t, { data, wrap: ["env", "IPCLAB_KEEP_SERIES=0h", "IPCLAB_KEEP_HISTOGRAMS=0h"] });
  await second.logged(/dropped what is no longer kept/);
  const { json } = await second.client.get(`/api/v1/runs/${run.id}`);
  assert.ok(json.series_dropped_ms > 0 && json.histograms_dropped_ms > 0);
  const { json: { trials: [trial] } } = await second.client.get(`/api/v1/runs/${run.id}/trials?include=histogram,series`);
  assert.deepEqual([trial.histogram, trial.series], [null, null]);
  assert.ok(trial.latency_ns.p50 > 0);
  assert.deepEqual((await second.client.get(`/api/v1/runs/${run.id}/results`)).json, before.json);
  for (const format of ["json", "csv", "html", "hlog"]) {
    assert.equal((await second.client.get(`/api/v1/runs/${run.id}/export?format=${format}`)).status, 200, format);
  }
  const kept = await second.client.get(`/api/v1/runs/${pinned.id}/trials?include=histogram,series`);
  assert.ok(kept.json.trials[0].histogram && kept.json.trials[0].series);
  assert.equal((await second.client.get(`/api/v1/runs/${pinned.id}`)).json.series_dropped_ms, null);
});

test("what retention drops is told to whoever watches", async (t) => {
  const { client } = await startServer(t, { wrap: ["env", "IPCLAB_KEEP_SERIES=0h", "IPCLAB_KEEP_TIMELINES=0h", "IPCLAB_KEEP_CHECKS=0h"] });
  const run = await takeRun(client);
  const stream = await client.stream("runs,attempts,checks");
  const { json: attempt } = await client.post("/api/v1/labs/pipe_gauge/attempts", {});
  await stream.next(({ event, data }) => event === "attempt" && data.state === "done");
  const ids = [];
  for (let i = 0; i < 2; i++) {
    const { json: check } = await client.post("/api/v1/claims/38/checks", {});
    await stream.next(({ event, data }) => event === "check" && data.id === check.id && data.state === "done");
    ids.push(check.id);
  }
  /* It comes once a day, and after an import that was given up. */
  await client.post("/api/v1/imports", "{}");
  const { data: trimmed } = await stream.next(({ event }) => event === "run");
  assert.deepEqual([trimmed.id, trimmed.series_dropped_ms > 0], [run.id, true]);
  const { data: forgotten } = await stream.next(({ event }) => event === "attempt");
  assert.deepEqual([forgotten.id, forgotten.record_dropped_ms > 0, forgotten.outcome > 0], [attempt.id, true, true]);
  const { data: gone } = await stream.next(({ event }) => event === "check_deleted");
  assert.deepEqual(gone, { id: ids[0] });
  stream.close();
  assert.equal((await client.get(`/api/v1/checks/${ids[0]}`)).status, 404);
  assert.equal((await client.get("/api/v1/claims/38")).json.latest.id, ids[1], "the last verdict stays");
  assert.deepEqual((await client.get(`/api/v1/attempts/${attempt.id}`)).json.timeline, []);
  assert.equal((await client.get(`/api/v1/attempts/${attempt.id}/trace`)).status, 200);
});

test("spans are checked, and help lists every command", async () => {
  for (const span of ["90", "d", "-1d", "1.5d", "99999999d", ""]) {
    const { status, err } = await ipclab("serve", `--keep-series=${span}`);
    assert.equal(status, 2, span);
    assert.match(err, /--keep-series/);
  }
  const { out } = await ipclab("help");
  const names = [...out.matchAll(/^ {2}ipclab ([a-z]+) /gm)].map(([, name]) => name);
  for (const name of ["serve", "run", "export", "import", "compare", "backup", "restore", "verify"]) assert.ok(names.includes(name), name);
  for (const name of names) {
    const help = await ipclab(name, "--help");
    assert.equal(help.status, 0, name);
    assert.match(help.out, new RegExp(`^usage: ipclab ${name}\\b`));
    assert.match(help.out, /Exit status|exit status/, name);
    assert.deepEqual(await ipclab("help", name), help, name);
    const refused = await ipclab(name, "--no-such-option");
    assert.deepEqual([refused.status, refused.out], [2, ""], name);
  }
  const unknown = await ipclab("help", "measure");
  assert.deepEqual([unknown.status, unknown.out, unknown.err], [2, "", "ipclab: unknown command measure; ipclab help lists them\n"]);
});
