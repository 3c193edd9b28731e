/**
 * Samples of rounds, held against each other by the product's own statistics (build/tests/compare).
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

/**
 * @typedef {{value: number, distance: string}} Sample
 * @typedef {{ratio: number, low: number|null, high: number|null, p: number|null, p_adjusted: number|null, delta: number,
 *   verdict: string, distance: string, n: [number, number]}} Comparison
 */

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The distance at which both have most samples. What moved during a trial is like nothing else.
 * @param {Sample[]} a
 * @param {Sample[]} b
 */
function commonDistance(a, b) {
  let best = { distance: "", count: 0 };
  for (const distance of ["same", "S", "C", "X"]) {
    const count = Math.min(...[a, b].map((samples) => samples.filter((sample) => sample.distance === distance).length));
    if (count > best.count) best = { distance, count };
  }
  return best.distance;
}

/**
 * Ratios a/b at equal distance, p adjusted over all of them.
 * @param {string} build
 * @param {{a: Sample[], b: Sample[], higher_is_better: boolean}[]} pairs
 * @param {number} [margin]
 * @returns {Comparison[]}
 */
export function compare(build, pairs, margin = 0.02) {
  const chosen = pairs.map(({ a, b, higher_is_better }) => {
    const distance = commonDistance(a, b);
    const at = (/** @type {Sample[]} */ samples) => samples.filter((sample) => sample.distance === distance).map((sample) => sample.value);
    return { distance, higher_is_better, a: at(a), b: at(b) };
  });
  const family = chosen.map(({ a, b, higher_is_better }) => ({ a, b, higher_is_better }));
  const output = execFileSync(join(build, "tests/compare"), { input: JSON.stringify({ margin, family }), encoding: "utf8" });
  return JSON.parse(output).map((/** @type {any} */ result, /** @type {number} */ i) => ({
    ...result,
    distance: chosen[i].distance,
    n: [chosen[i].a.length, chosen[i].b.length],
  }));
}

/** A generator of numbers in [0, 1) that is a function of its seed (Mulberry32). @param {number} seed */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** @template T @param {T[]} items @param {() => number} random */
export function shuffled(items, random) {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
