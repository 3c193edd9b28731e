/**
 * The rounds: every cell in a new order each time, and in each cell ipclab, its raw loop and its peers one right after
 * the other in a new order, because the machine does not hold still for long.
 */
import { join } from "node:path";

import { measurePeer } from "./peers.js";
import { run } from "./process.js";
import { Refusal } from "./server.js";
import { shuffled } from "./statistics.js";

const failures_max = 2;
/** How often a sample is taken again because a CPU was moved meanwhile; the value is not looked at. */
const retakes_max = 2;
const peer_retakes_max = 1;

/**
 * @typedef {import("./cells.js").Cell} Cell
 * @typedef {import("./peers.js").Peer} Peer
 * @typedef {import("./options.js").Options} Options
 * @typedef {{value: number, distance: string, calls?: number, switches?: number, flags?: string[]}} Sample
 * @typedef {{samples: Sample[], failures: string[], peer?: Peer}} Contestant
 * @typedef {{cell: Cell, contestants: Record<string, Contestant>}} Row
 */

/**
 * @param {import("./server.js").Server} server
 * @param {Cell} cell
 * @param {Options} options
 * @param {string} [verify]
 * @returns {Promise<Sample>}
 */
export async function measureIpclab(server, { group, mechanism, wait }, { duration_ms, warmup_ms, seed }, verify = "header") {
  const run_taken = await server.take({
    name: `${group.name}/${mechanism}`,
    mechanisms: [mechanism],
    patterns: [group.pattern],
    message_bytes: [group.bytes],
    trials: 1,
    duration_ms,
    warmup_ms,
    wait,
    placement: group.placement,
    verify,
    seed,
    tags: ["bench"],
  }, 60);
  const trial = (await server.trials(run_taken.id)).find((one) => one.state === "done");
  if (!trial) throw new Error("the trial failed");
  return {
    value: group.pattern === "round_trip" ? trial.latency_ns.p50 : trial.bytes_per_s,
    distance: trial.distance ?? "same",
    calls: trial.system_calls / trial.messages,
    switches: (trial.context_switches.voluntary + trial.context_switches.involuntary) / trial.messages,
    flags: trial.flags,
  };
}

/** @param {Cell} cell @param {Options} options @returns {Promise<Sample>} */
export async function measureLimit({ group, wait, loop }, { build, duration_ms, warmup_ms }) {
  const command = [join(build, "tests/probe"), String(loop), group.pattern, String(group.bytes), wait, group.placement, String(duration_ms), String(warmup_ms)];
  const result = JSON.parse(await run(command));
  return { value: group.pattern === "round_trip" ? result.p50_ns : result.bytes_per_s, distance: result.distance };
}

/** @param {Options} options */
async function measureDistance({ build }) {
  return JSON.parse(await run([join(build, "tests/probe"), "distance"])).distance;
}

/** @param {Cell} cell @param {Peer} peer @param {Options} options @returns {Promise<Sample>} */
async function measurePeerAround(cell, peer, options) {
  if (cell.group.placement === "same_cpu") return { value: await measurePeer(peer), distance: "same" };
  const before = await measureDistance(options);
  const value = await measurePeer(peer);
  const after = await measureDistance(options);
  return { value, distance: before === after ? before : "mixed" };
}

/**
 * @param {Cell} cell
 * @param {Peer[]} peers
 * @returns {Row}
 */
function rowOf(cell, peers) {
  /** @type {Record<string, Contestant>} */
  const contestants = { ipclab: { samples: [], failures: [] } };
  if (cell.loop) contestants.limit = { samples: [], failures: [] };
  for (const peer of peers) {
    if (peer.cell === `${cell.group.name}/${cell.mechanism}`) contestants[peer.name] = { samples: [], failures: [], peer };
  }
  return { cell, contestants };
}

/**
 * @param {import("./server.js").Server} server
 * @param {Row} row
 * @param {string} name
 * @param {Options} options
 * @returns {Promise<Sample>}
 */
function measure(server, { cell, contestants }, name, options) {
  if (name === "ipclab") return measureIpclab(server, cell, options);
  if (name === "limit") return measureLimit(cell, options);
  return measurePeerAround(cell, /** @type {Peer} */ (contestants[name].peer), options);
}

/**
 * One sample, and another where the distance changed during it. All are kept.
 * @param {import("./server.js").Server} server
 * @param {Row} row
 * @param {string} name
 * @param {Options} options
 */
async function takeSample(server, row, name, options) {
  const contestant = row.contestants[name];
  const takes_max = 1 + (contestant.peer ? peer_retakes_max : retakes_max);
  for (let take = 0; take < takes_max && contestant.failures.length < failures_max; take++) {
    try {
      const sample = await measure(server, row, name, options);
      contestant.samples.push(sample);
      if (sample.distance !== "mixed") return;
    } catch (error) {
      contestant.failures.push(error instanceof Error ? error.message : String(error));
      if (error instanceof Refusal) contestant.failures.push(error.message);
    }
  }
}

/**
 * @param {import("./server.js").Server} server
 * @param {Cell[]} cells
 * @param {Peer[]} peers
 * @param {Options} options
 * @param {() => number} random
 * @returns {Promise<Row[]>}
 */
export async function takeRounds(server, cells, peers, options, random) {
  const rows = cells.map((cell) => rowOf(cell, peers));
  const visits = rows.flatMap((row) => Array.from({ length: row.cell.group.times ?? 1 }, () => row));
  for (let round = 1; round <= options.rounds; round++) {
    const began = Date.now();
    for (const row of shuffled(visits, random)) {
      for (const name of shuffled(Object.keys(row.contestants), random)) await takeSample(server, row, name, options);
    }
    console.log(`  round ${round} of ${options.rounds}: ${Math.round((Date.now() - began) / 1000)} s`);
  }
  return rows;
}
