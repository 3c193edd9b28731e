/**
 * A/A: the same experiment twice, compared as two different ones would be. Every "faster" or "slower" is a lie.
 *
 *   node tests/perf/aa.js        PAIRS=5 of the preset `standard`; QUICK=1 takes few mechanisms and short trials
 *
 * A case is compared at the distance that both runs have most trials of, p is adjusted by Holm over the cases of a
 * pair, and a difference has to be at least 2 %.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { readOptions } from "./lib/options.js";
import { startServer } from "./lib/server.js";
import { compare } from "./lib/statistics.js";

const run_seconds_max = 1800;
const least_trials = 4;

/** @typedef {import("./lib/options.js").Options} Options */

/** @param {Options} options @param {number} seed */
function experimentOf({ quick, trials }, seed) {
  if (!quick) return { preset: "standard", trials, seed, tags: ["aa"] };
  return { preset: "standard", mechanisms: ["shm_sysv", "pipe", "unix_stream", "tcp"], trials, duration_ms: 60, warmup_ms: 20, seed, tags: ["aa"] };
}

/** The samples of each case of a run. @param {import("./lib/server.js").Server} server @param {any} experiment */
async function takeRun(server, experiment) {
  const { id, state, trials_done, trials_total } = await server.take(experiment, run_seconds_max);
  if (state !== "done") throw new Error(`run ${id} ended ${state} with ${trials_done} of ${trials_total} trials`);
  const { cases } = await server.get(`runs/${id}/results`);
  const trials = (await server.trials(id)).filter((trial) => trial.state === "done");
  return cases.map((/** @type {any} */ one) => ({
    name: `${one.mechanism} ${one.pattern} ${one.message_bytes} B`,
    higher_is_better: one.pattern === "stream",
    samples: trials.filter((trial) => trial.case === one.number).map((trial) => ({
      value: one.pattern === "stream" ? trial.bytes_per_s : trial.latency_ns.p50,
      distance: trial.distance ?? "same",
    })),
  }));
}

/** @param {import("./lib/server.js").Server} server @param {Options} options @param {number} number */
async function takePair(server, options, number) {
  const a = await takeRun(server, experimentOf(options, options.seed + 2 * number));
  const b = await takeRun(server, experimentOf(options, options.seed + 2 * number + 1));
  const pairs = a.map((/** @type {any} */ one, /** @type {number} */ i) => ({ a: one.samples, b: b[i].samples, higher_is_better: one.higher_is_better }));
  return compare(options.build, pairs).map((comparison, i) => {
    const few = Math.min(...comparison.n) < least_trials;
    return { ...comparison, name: a[i].name, verdict: few ? "not_comparable" : comparison.verdict };
  });
}

/** @param {import("./lib/server.js").Server} server @param {Options} options */
export async function takePairs(server, options) {
  const pairs = [];
  for (let i = 0; i < options.pairs; i++) {
    const began = Date.now();
    const cases = await takePair(server, options, i);
    const different = cases.filter(({ verdict }) => verdict === "faster" || verdict === "slower");
    pairs.push(cases);
    console.log(`  pair ${i + 1} of ${options.pairs}: ${cases.length} cases, ${different.length} different, ${Math.round((Date.now() - began) / 1000)} s`);
    for (const { name, verdict, ratio, low, high, p_adjusted, distance } of different) console.log(`    ${name}: ${verdict} ${JSON.stringify({ ratio, low, high, p_adjusted, distance })}`);
  }
  return { trials: options.trials, experiment: experimentOf(options, options.seed), pairs };
}

async function main() {
  const options = { ...readOptions(), pairs: Number(process.env.PAIRS || 5) };
  const server = await startServer(options.build);
  try {
    const result = await takePairs(server, options);
    const different = result.pairs.flat().filter(({ verdict }) => verdict === "faster" || verdict === "slower");
    mkdirSync(join(options.build, "bench"), { recursive: true });
    writeFileSync(join(options.build, "bench/aa.json"), JSON.stringify(result));
    console.log(`aa: ${result.pairs.flat().length} comparisons, ${different.length} different`);
    process.exitCode = different.length === 0 ? 0 : 1;
  } finally {
    await server.stop();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
