/**
 * What is measured: groups that share pattern, size, wait and placement, and in each a cell for every mechanism; which
 * raw loop is its limit, and what is demanded of it.
 */

/**
 * @typedef {{name: string, title: string, pattern: "round_trip"|"stream", bytes: number, kernel: string, memory: string,
 *   placement: string, times?: number, only?: string}} Group  kernel, memory: the wait of each family; times: how often a
 *   round visits its cells, more where trials spread more; only: the one mechanism it is about
 * @typedef {{group: Group, mechanism: string, wait: string, loop: string|null, is_memory: boolean}} Cell
 */

/** @type {Group[]} */
export const groups = [
  { name: "two_block", title: "Round trip of 64 B, two CPUs, blocking", pattern: "round_trip", bytes: 64, kernel: "block", memory: "futex", placement: "two_cpus", times: 3 },
  { name: "two_poll", title: "Round trip of 64 B, two CPUs, polling", pattern: "round_trip", bytes: 64, kernel: "poll", memory: "spin", placement: "two_cpus", times: 2 },
  { name: "one_block", title: "Round trip of 64 B, one CPU, blocking", pattern: "round_trip", bytes: 64, kernel: "block", memory: "futex", placement: "same_cpu" },
  { name: "stream_64", title: "Stream of 64 B, two CPUs", pattern: "stream", bytes: 64, kernel: "block", memory: "spin", placement: "two_cpus" },
  { name: "stream_4k", title: "Stream of 4 KiB, two CPUs", pattern: "stream", bytes: 4096, kernel: "block", memory: "spin", placement: "two_cpus" },
  { name: "stream_65000", title: "Stream of 65,000 B, two CPUs", pattern: "stream", bytes: 65000, kernel: "block", memory: "spin", placement: "two_cpus", times: 2, only: "tcp" },
  { name: "stream_64k", title: "Stream of 64 KiB, two CPUs", pattern: "stream", bytes: 65536, kernel: "block", memory: "spin", placement: "two_cpus", times: 2 },
  { name: "stream_1m", title: "Stream of 1 MiB, two CPUs", pattern: "stream", bytes: 1048576, kernel: "block", memory: "spin", placement: "two_cpus" },
];

/** Mechanisms whose raw loop has another name; the rest have the loop of their own name, if there is one. */
/** @type {Record<string, string>} */
const loop_of = { socketpair: "unix_stream" };

const quick_mechanisms = ["shm_sysv", "pipe", "unix_stream", "tcp", "eventfd", "mq_posix"];
const quick_groups = ["two_block", "two_poll", "one_block", "stream_64", "stream_64k"];

/**
 * Memory is one engine under several names, so the names beside the first are taken only where a target asks for them. A
 * technique that moves its data through the kernel and waits in memory (process_vm_readv) is taken where it spins.
 */
const first_memory = "shm_sysv";
/** @param {Group} group @param {boolean} is_memory */
const isWantedOf = (group, is_memory) => (is_memory ? targetOf({ group, mechanism: "", is_memory }).limit !== null : group.memory === "spin");

/**
 * @param {any[]} mechanisms  the catalogue
 * @param {{loop: string, patterns: string[], waits: string[], message_bytes_max: number}[]} loops
 * @param {{quick: boolean, only: RegExp}} options
 * @returns {Cell[]}
 */
export function cellsOf(mechanisms, loops, { quick, only }) {
  const cells = [];
  for (const group of groups) {
    for (const { name, family, available, message_bytes_max, traits } of mechanisms) {
      const is_wanted = (group.only ?? name) === name && (!quick || (quick_mechanisms.includes(name) && quick_groups.includes(group.name))) && only.test(`${group.name}/${name}`);
      if (!is_wanted || !available || family === "control" || message_bytes_max < group.bytes) continue;
      const is_memory = family === "memory";
      const waits_in_memory = !traits.synchronises;
      if (waits_in_memory && name !== first_memory && !isWantedOf(group, is_memory)) continue;
      const wait = waits_in_memory ? group.memory : group.kernel;
      const wanted = is_memory ? (group.pattern === "stream" ? "ring" : "flag") : (loop_of[name] ?? name);
      const loop = loops.find((one) => one.loop === wanted && one.patterns.includes(group.pattern) && one.waits.includes(wait) && one.message_bytes_max >= group.bytes);
      cells.push({ group, mechanism: name, wait, loop: loop ? loop.loop : null, is_memory });
    }
  }
  return cells;
}

/**
 * What a cell has to reach: the ratio to its limit, and whether the best peer is to be reached too. A bound is the most
 * for a time and the least for a rate.
 * @param {Pick<Cell, "group"|"mechanism"|"is_memory">} cell
 * @returns {{limit: number|null, peer: boolean}}
 */
export function targetOf({ group, mechanism, is_memory }) {
  if (group.pattern === "round_trip") {
    if (!is_memory) return { limit: 1.05, peer: true };
    return { limit: group.memory === "spin" ? 1.3 : null, peer: false };
  }
  if (is_memory) return { limit: { stream_64: 0.8, stream_64k: 0.85 }[group.name] ?? null, peer: false };
  if (["stream_64k", "stream_65000"].includes(group.name) && ["pipe", "unix_stream", "tcp"].includes(mechanism)) return { limit: 0.95, peer: true };
  return { limit: null, peer: false };
}
