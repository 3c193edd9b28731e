/**
 * What may be asked of the benchmark, by environment variables: make bench ROUNDS=9 QUICK=1.
 */
import { resolve } from "node:path";

/** @param {string} name @param {number} fallback */
function integer(name, fallback) {
  const text = process.env[name] ?? "";
  if (text === "") return fallback;
  if (!/^\d+$/.test(text)) throw new Error(`${name} must be a whole number, got "${text}"`);
  return Number(text);
}

export function readOptions() {
  const quick = ["1", "yes"].includes(process.env.QUICK ?? "");
  return {
    quick,
    build: resolve(process.env.BUILD || "build"),
    rounds: integer("ROUNDS", quick ? 3 : 7),
    seed: integer("SEED", Date.now() % 1000000),
    pairs: integer("PAIRS", 1),
    trials: integer("TRIALS", quick ? 8 : 10),
    duration_ms: integer("DURATION_MS", quick ? 60 : 100),
    warmup_ms: quick ? 20 : 30,
    only: new RegExp(process.env.ONLY || "."),
    /** A quick look does not replace the figures that are kept. */
    report: resolve(process.env.REPORT || (quick ? `${process.env.BUILD || "build"}/bench/benchmarks.md` : "docs/benchmarks.md")),
  };
}

/** @typedef {ReturnType<typeof readOptions>} Options */
