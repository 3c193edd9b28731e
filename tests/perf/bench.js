/**
 * make bench: ipclab beside the limit and beside its peers, in one go on one machine.
 *
 * Interleaves rounds of ipclab's own trials (asked for over REST, as users do), of the raw loops (tests/perf/probe) and
 * of other benchmarks; then takes runs of the same experiment twice (aa.js); then writes docs/benchmarks.md. Variables:
 * lib/options.js.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { join } from "node:path";

import { takePairs } from "./aa.js";
import { cellsOf } from "./lib/cells.js";
import { readOptions } from "./lib/options.js";
import { context, measurePeer, peersOf } from "./lib/peers.js";
import { run } from "./lib/process.js";
import { judge, writeReport } from "./lib/report.js";
import { measureIpclab, measureLimit, takeRounds } from "./lib/rounds.js";
import { startServer } from "./lib/server.js";
import { randomFrom, shuffled } from "./lib/statistics.js";

const explanations = 3;

/**
 * Where the time goes: the same cell without verification, and its raw loop, once more beside each other.
 * @param {import("./lib/server.js").Server} server
 * @param {any[]} rows
 * @param {import("./lib/options.js").Options} options
 * @param {() => number} random
 */
async function explain(server, rows, options, random) {
  for (const row of rows) {
    /** @type {Record<string, import("./lib/rounds.js").Sample[]>} */
    const samples = { header: [], none: [], limit: [] };
    try {
      for (let i = 0; i < explanations; i++) {
        for (const what of shuffled(Object.keys(samples), random)) {
          samples[what].push(what === "limit" ? await measureLimit(row.cell, options) : await measureIpclab(server, row.cell, options, what));
        }
      }
      row.explanation = samples;
    } catch (error) {
      console.error(`  ${row.cell.group.name}/${row.cell.mechanism} could not be taken apart: ${error}`);
    }
  }
}

/** @param {number} rounds */
async function takeContext(rounds) {
  const figures = [];
  for (const one of context) {
    const values = [];
    let failure = null;
    for (let i = 0; i < rounds && !failure; i++) {
      try {
        values.push(await measurePeer(one));
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
      }
    }
    figures.push({ name: one.name, unit: one.unit, note: one.note, command: one.command.join(" "), values, failure });
  }
  return figures;
}

async function main() {
  const options = readOptions();
  const random = randomFrom(options.seed);
  const began = new Date();
  const load_before = loadavg()[0];
  console.log(`bench: ${options.rounds} rounds, seed ${options.seed}, load ${load_before.toFixed(2)}`);
  const server = await startServer(options.build);
  try {
    const { mechanisms } = await server.get("mechanisms");
    const loops = JSON.parse(await run([join(options.build, "tests/probe"), "list"]));
    const cells = cellsOf(mechanisms, loops, options);
    const rows = await takeRounds(server, cells, peersOf(options.quick), options, random);
    const judged = judge(options.build, rows);
    await explain(server, judged.filter((row) => row.misses_limit), options, random);
    const figures = await takeContext(options.quick ? 1 : 3);
    const aa = options.pairs > 0 ? await takePairs(server, options) : null;
    const { facts, overhead } = await server.get("machine");
    const results = {
      began: began.toISOString(),
      seconds: Math.round((Date.now() - began.getTime()) / 1000),
      kernel: release(),
      cpu: `${cpus().length} × ${cpus()[0].model}`,
      load: [load_before, loadavg()[0]],
      machine: facts,
      overhead,
      options: { ...options, only: options.only.source },
      rows: judged,
      context: figures,
      aa,
    };
    mkdirSync(join(options.build, "bench"), { recursive: true });
    await server.keep(join(options.build, "bench/ipclab.db"));
    writeFileSync(join(options.build, "bench/results.json"), JSON.stringify(results));
    writeReport(options.report, results);
    console.log(`bench: ${results.seconds} s, ${options.report}`);
  } finally {
    await server.stop();
  }
}

await main();
