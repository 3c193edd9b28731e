/** What measuring costs, held against the smallest figure it is part of. Pure. */

import { formatNs, formatShare } from "./format.js";

/**
 * @typedef {import("./types.js").Case} Case
 * @typedef {import("./types.js").Overhead} Overhead
 */

/** @param {Case} one */
const medianOf = (one) => one.latency_ns?.p50?.value ?? Infinity;

/** @param {Case} one */
const isBatched = ({ flags }) => flags.includes("batched");

/** @param {readonly Case[]} cases @returns {Case|undefined} */
const shortestOf = (cases) => [...cases].sort((a, b) => medianOf(a) - medianOf(b))[0];

/**
 * @param {Overhead|null|undefined} overhead
 * @param {readonly Case[]} cases  that are shown, controls left out
 * @param {(name: string) => string} titleOf
 * @returns {string[]}  sentences; none where nothing is known
 */
export function overheadSentences(overhead, cases, titleOf) {
  if (!overhead) return [];
  const known = cases.filter((one) => one.overhead_share !== null && medianOf(one) < Infinity);
  const shortest = shortestOf(known);
  const singly = shortestOf(known.filter((one) => !isBatched(one)));
  /** @param {Case} one */
  const who = (one) => `${formatNs(medianOf(one))} by ${titleOf(one.mechanism)}`;
  /** @param {Case} one */
  const share = (one) => formatShare(one.overhead_share);
  return [
    `Reading the clock takes ${formatNs(overhead.clock_ns)}, counting a latency ${formatNs(overhead.histogram_ns)}, ` +
      `writing a message and checking its header ${formatNs(overhead.verify_header_ns)}, or every byte ` +
      `${formatNs(overhead.verify_full_ns_per_kib)} a KiB. A round trip of the same loop over nothing takes ` +
      `${formatNs(overhead.loop_ns)}.`,
    "Spinning memory is timed in batches of 100 round trips, which share one reading of the clock; a percentile of it " +
      "is one of batches.",
    shortest ? `Of the shortest round trip here, ${who(shortest)}, measuring is about ${share(shortest)}.` : "",
    singly && singly !== shortest
      ? `Of the shortest that is timed singly, ${who(singly)}, about ${share(singly)}.`
      : "",
  ].filter(Boolean);
}
