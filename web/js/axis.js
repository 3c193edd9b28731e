/**
 * Where times stand along the lanes. To scale, a call of a microsecond vanishes beside a wait of a second; so the other
 * axis gives every stretch between two events a width that grows with the logarithm of its length. Pure.
 *
 * @typedef {{from: number, to: number}} Zoom  the part of the whole that is seen, from 0 to 1
 * @typedef {ReturnType<typeof createAxis>} Axis
 * @typedef {{x: number, width: number, kind: string, calls: import("./types.js").Call[]}} Bar
 */

import { kindOf } from "./timeline.js";

const quick_ns = 1e3;
/** How much wider a stretch is for every ten times its length. */
const width_per_decade = 1.6;

/** @param {number} ns */
const weightOf = (ns) => 1 + width_per_decade * Math.log10(1 + ns / quick_ns);

/** @param {import("./timeline.js").Timeline} timeline */
export function momentsOf({ calls, workers, end_ns }) {
  const times = new Set([0, end_ns]);
  for (const call of calls) {
    times.add(call.begin_ns);
    if (call.end_ns !== null) times.add(call.end_ns);
  }
  for (const { states } of workers) for (const { at_ns } of states) times.add(at_ns);
  return [...times].sort((a, b) => a - b);
}

/**
 * @param {readonly number[]} sorted
 * @param {number} value
 * @returns {number} index of the last that is not greater, at least 0
 */
function lastNotGreater(sorted, value) {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * @param {readonly number[]} moments  ascending
 * @param {boolean} to_scale
 * @param {Zoom} [zoom]
 */
export function createAxis(moments, to_scale, { from, to } = { from: 0, to: 1 }) {
  const first = moments[0] ?? 0;
  const last = Math.max(moments[moments.length - 1] ?? 1, first + 1);
  const sums = [0];
  for (let i = 1; i < moments.length; i++) sums.push(sums[i - 1] + weightOf(moments[i] - moments[i - 1]));
  const total = sums[sums.length - 1] || 1;

  /** @param {number} ns */
  function share(ns) {
    if (to_scale || moments.length < 2) return (ns - first) / (last - first);
    const i = Math.min(lastNotGreater(moments, ns), moments.length - 2);
    const inside = Math.min(1, Math.max(0, (ns - moments[i]) / (moments[i + 1] - moments[i] || 1)));
    return (sums[i] + inside * (sums[i + 1] - sums[i])) / total;
  }

  /** @param {number} part */
  function timeOf(part) {
    if (to_scale || moments.length < 2) return first + part * (last - first);
    const i = Math.min(lastNotGreater(sums, part * total), moments.length - 2);
    const inside = (part * total - sums[i]) / (sums[i + 1] - sums[i] || 1);
    return moments[i] + Math.min(1, inside) * (moments[i + 1] - moments[i]);
  }

  return {
    to_scale,
    /** 0 at the left edge of what is seen, 1 at the right. @param {number} ns */
    place: (ns) => (share(ns) - from) / (to - from),
    /** @param {number} x */
    timeAt: (x) => timeOf(Math.min(1, Math.max(0, from + x * (to - from)))),
  };
}

/**
 * Times to write along the axis: round ones to scale, else those that stand at even distances.
 * @param {Axis} axis
 * @param {number} count  about so many
 * @returns {{x: number, ns: number}[]}
 */
export function ticksOf(axis, count) {
  if (!axis.to_scale) {
    return Array.from({ length: count + 1 }, (_, i) => ({ x: i / count, ns: axis.timeAt(i / count) }));
  }
  const [low, high] = [axis.timeAt(0), axis.timeAt(1)];
  const rough = (high - low) / count;
  const decade = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 5, 10].map((one) => one * decade).find((one) => one >= rough) ?? decade;
  const ticks = [];
  for (let ns = Math.ceil(low / step) * step; ns <= high; ns += step) ticks.push({ x: axis.place(ns), ns });
  return ticks;
}

/**
 * Calls as bars. Quick ones that would fall on each other's pixels are drawn as one; what waited or failed stays alone.
 * @param {readonly import("./types.js").Call[]} calls  of one process, in their order
 * @param {Axis} axis
 * @param {number} width_px
 * @param {number} now_ns
 * @returns {Bar[]}
 */
export function barsOf(calls, axis, width_px, now_ns) {
  const width_px_min = 2;
  /** @type {Bar[]} */
  const bars = [];
  for (const call of calls) {
    const begin = axis.place(call.begin_ns) * width_px;
    const end = axis.place(call.end_ns ?? call.cut_ns ?? now_ns) * width_px;
    if (end < 0 || begin > width_px) continue;
    const x = Math.max(-4, begin);
    const bar = { x, width: Math.max(width_px_min, Math.min(end, width_px + 4) - x), kind: kindOf(call, now_ns), calls: [call] };
    const before = bars[bars.length - 1];
    const covers = before && before.kind === bar.kind && bar.width <= width_px_min && x - (before.x + before.width) < 1;
    if (covers) {
      before.width = Math.max(before.width, x + bar.width - before.x);
      before.calls.push(call);
    } else bars.push(bar);
  }
  return bars;
}

/**
 * Brings a part of the whole nearer, around a place that keeps its position.
 * @param {Zoom} zoom
 * @param {number} factor  above 1: nearer
 * @param {number} x  the place, from 0 to 1 of what is seen
 * @returns {Zoom}
 */
export function zoomed({ from, to }, factor, x) {
  const span = Math.min(1, Math.max(1e-5, (to - from) / factor));
  const start = Math.min(1 - span, Math.max(0, from + x * (to - from) - x * span));
  return { from: start, to: start + span };
}
