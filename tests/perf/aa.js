/**
 * A/A: the same experiment twice, compared as two different ones would be. Every "faster" or "slower" is a lie.
 *
 *   node tests/perf/aa.js        PAIRS=5 of the preset `standard`; QUICK=1 takes few mechanisms and short trials
 *
 * The server that took the runs judges them too, by GET compare as for a gate: trials at equal distance, p adjusted by
 * Holm over the cases of a pair, a difference of at least 2 % or of the machine's noise floor. The floor of a pair comes
 * from the other runs alone, so it needs three pairs of them; with fewer the 2 % stand by themselves.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { readOptions } from "./lib/options.js";
import { startServer } from "./lib/server.js";
import { change_min, isDifferent, nameOf } from "./lib/verdicts.js";

const run_seconds_max = 1800;

/** @typedef {import("./lib/options.js").Options} Options */

/** @param {Options} options @param {number} seed */
function experimentOf({ quick, trials }, seed) {
  if (!quick) return { preset: "standard", trials, seed, tags: ["aa"] };
  return { preset: "standard", mechanisms: ["shm_sysv", "pipe", "unix_stream", "tcp"], trials, duration_ms: 60, warmup_ms: 20, seed, tags: ["aa"] };
}

/** @param {import("./lib/server.js").Server} server @param {object} experiment @returns {Promise<number>} */
async function takeRun(server, experiment) {
  const { id, state, trials_done, trials_total } = await server.take(experiment, run_seconds_max);
  if (state !== "done") throw new Error(`run ${id} ended ${state} with ${trials_done} of ${trials_total} trials`);
  return id;
}

/** @param {import("./lib/server.js").Server} server @param {Options} options */
export async function takePairs(server, options) {
  const ids = [];
  for (let i = 0; i < options.pairs; i++) {
    const began = Date.now();
    ids.push([await takeRun(server, experimentOf(options, options.seed + 2 * i)), await takeRun(server, experimentOf(options, options.seed + 2 * i + 1))]);
    console.log(`  pair ${i + 1} of ${options.pairs}: ${Math.round((Date.now() - began) / 1000)} s`);
  }
  const pairs = [];
  for (const [base, against] of ids) {
    const { verdicts, noise_floor } = await server.get(`compare?base=${base}&against=${against}&max_slower=${100 * change_min}%25`);
    pairs.push({ noise_floor, verdicts });
    for (const one of verdicts.filter(isDifferent)) console.log(`    ${nameOf(one)}: ${one.verdict} ${JSON.stringify({ ratio: one.ratio, low: one.low, high: one.high, p_adjusted: one.p_adjusted, margin: one.margin })}`);
  }
  return { experiment: experimentOf(options, options.seed), pairs };
}

async function main() {
  const options = { ...readOptions(), pairs: Number(process.env.PAIRS || 5) };
  const server = await startServer(options.build);
  try {
    const result = await takePairs(server, options);
    const verdicts = result.pairs.flatMap((pair) => pair.verdicts);
    const different = verdicts.filter(isDifferent);
    mkdirSync(join(options.build, "bench"), { recursive: true });
    await server.keep(join(options.build, "bench/ipclab.db"));
    writeFileSync(join(options.build, "bench/aa.json"), JSON.stringify(result));
    console.log(`aa: ${verdicts.length} comparisons, ${different.length} different`);
    process.exitCode = different.length === 0 ? 0 : 1;
  } finally {
    await server.stop();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
