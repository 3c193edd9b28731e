/** The field's terms in plain words. Names the server may add later are shown as they are. */

import { formatOfferedRate } from "./format.js";

/** @param {Record<string, string>} table */
const lookup = (table) =>
  Object.assign(
    /** @param {string|null|undefined} name */
    (name) => (name ? (table[name] ?? name.replaceAll("_", " ")) : ""),
    { knows: (/** @type {string} */ name) => name in table },
  );

export const patternText = lookup({ round_trip: "round trip", stream: "stream", paced: "paced" });

export const waitText = lookup({
  spin: "spin",
  spin_futex: "spin then futex",
  futex: "futex",
  sem_posix: "POSIX semaphore",
  sem_sysv: "System V semaphore",
  eventfd: "eventfd",
  block: "blocking",
  poll: "polling",
});

export const placementText = lookup({ two_cpus: "two CPUs", same_cpu: "same CPU", free: "unpinned" });

export const relationText = lookup({ related: "related (forked)", unrelated: "unrelated (exec'd)" });

export const verifyText = lookup({ header: "header of each message", full: "every byte", none: "nothing" });

export const statisticText = lookup({
  p50: "p50",
  p90: "p90",
  p99: "p99",
  p999: "p99.9",
  max: "maximum",
  messages_per_s: "messages a second",
  bytes_per_s: "bytes a second",
  cpu_ns_per_message: "CPU time per message",
});

export const stateText = lookup({
  queued: "queued",
  running: "running",
  done: "done",
  failed: "failed",
  cancelled: "stopped",
  interrupted: "interrupted",
});

export const distanceText = lookup({
  same: "same: both processes on one CPU, with nothing to cross",
  S: "S: next to each other, as two threads of one core (about 24 ns one way)",
  C: "C: within one cache complex (about 55 ns one way)",
  X: "X: across cache complexes (about 250 ns one way)",
  mixed: "mixed: the CPUs moved apart or together during the trials",
});

export const flagText = lookup({
  batched: "Timed in batches of 100 round trips, because one is shorter than the clock can resolve.",
  placement_moved: "The CPUs changed their distance during a trial, which moves memory-speed figures a lot.",
  gap: "The timed loop stood still for more than a millisecond, and not because peers on its CPU had their turn.",
  run_delay:
    "For more than 5 % of a trial a worker was ready to run and had to wait for a CPU, beyond the time that peers on its CPU used.",
  steal: "The hypervisor gave more than 5 % of a CPU to somebody else during a trial.",
  throttled:
    "A control group's CPU quota was used up during a trial, and all its processes stood still until the next period.",
  preempted: "A worker that had a CPU to itself was made to leave it, over and over.",
  rate_not_held: "Less than 98 % of the rate asked for was reached, or ever more messages were overdue.",
  few_samples: "Too few independent samples for the higher percentiles; those are left out.",
  few_trials: "Fewer than 6 trials: the value stands, but without an interval.",
  integrity: "Messages were lost, torn, duplicated or reordered.",
  trial_failed: "At least one attempt failed. A failed trial is taken again once.",
});

/** @param {string} flag */
export const flagName = (flag) => flag.replaceAll("_", " ");

/** @param {import("./types.js").RunState} state */
export function stateTone(state) {
  return (
    { queued: "", running: "active", done: "good", failed: "bad", cancelled: "warn", interrupted: "warn" }[state] ?? ""
  );
}

/** @param {import("./types.js").RunState} state */
export const isOver = (state) => state === "done" || state === "failed" || state === "cancelled";

/**
 * How the workers waited and where they ran: what outweighs the mechanism.
 * @param {import("./types.js").Case} one
 */
export function conditionsText(one) {
  return one.rate_hz === null ? settingText(one) : `${settingText(one)} · ${formatOfferedRate(one.rate_hz)}`;
}

/**
 * The same without the rate, which a chart of rates has as its axis.
 * @param {Pick<import("./types.js").Case, "wait"|"placement"|"relation"|"senders"|"receivers">} one
 */
export function settingText(one) {
  const parts = [waitText(one.wait ?? "block"), placementText(one.placement)];
  if (one.relation === "unrelated") parts.push("unrelated");
  if (one.senders !== 1 || one.receivers !== 1) parts.push(`${one.senders} → ${one.receivers}`);
  return parts.filter(Boolean).join(" · ");
}

/** Why trials of one case are told apart by distance. */
export const distance_reason =
  "The hypervisor moves the CPUs, and what runs at memory speed follows their distance by up to ten times: a cache line " +
  "needs about 24 ns to the other thread of a core (S), 55 ns within a cache complex (C) and 250 ns across (X). Compare " +
  "trials of one class with each other.";

/** @param {import("./types.js").Integrity|null|undefined} integrity */
export function integrityText(integrity) {
  if (!integrity) return "not checked";
  const faults = Object.entries(integrity).filter(([, count]) => count);
  return faults.length === 0 ? "intact" : faults.map(([name, count]) => `${count} ${name}`).join(", ");
}
