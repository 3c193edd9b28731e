/** Small, complete values for the pure modules; figures are arbitrary. */

/** @param {Partial<import("../../web/js/types.js").Run>} [changes] @returns {import("../../web/js/types.js").Run} */
export const aRun = (changes = {}) => ({
  id: 1,
  uid: "01J",
  state: "done",
  name: "",
  created_ms: 0,
  started_ms: 0,
  finished_ms: 1,
  trials_total: 10,
  trials_done: 10,
  trials_failed: 0,
  eta_ms: null,
  experiment: {},
  machine: { comparable: "a", full: "b" },
  isolation: {},
  tags: [],
  note: "",
  pinned: false,
  rev: 1,
  ...changes,
});

/**
 * What makes a case another one.
 * @typedef {import("../../web/js/types.js").Case} Case
 * @type {Pick<Case, "mechanism"|"pattern"|"message_bytes"|"wait"|"placement"|"relation"|"senders"|"receivers"|"buffer_bytes"|"rate_hz">}
 */
export const case_key = {
  mechanism: "pipe",
  pattern: "round_trip",
  message_bytes: 64,
  wait: "block",
  placement: "two_cpus",
  relation: "related",
  senders: 1,
  receivers: 1,
  buffer_bytes: null,
  rate_hz: null,
};

/** @param {Partial<import("../../web/js/types.js").Case>} [changes] @returns {import("../../web/js/types.js").Case} */
export const aCase = (changes = {}) => ({
  number: 0,
  ...case_key,
  distance: "C",
  trials: 10,
  failed: 0,
  latency_ns: { p50: { value: 6100, low: 6020, high: 6190 } },
  messages_per_s: null,
  bytes_per_s: null,
  cpu_ns_per_message: null,
  context_switches_per_message: null,
  system_calls_per_message: null,
  achieved_hz: null,
  overhead_share: null,
  by_distance: [],
  integrity: null,
  flags: [],
  ...changes,
});

/** @param {Partial<import("../../web/js/types.js").Trial>} [changes] @returns {import("../../web/js/types.js").Trial} */
export const aTrial = (changes = {}) => ({
  id: 1,
  case: 0,
  sequence: 0,
  attempt: 1,
  state: "done",
  cause: null,
  started_ms: 0,
  duration_ns: 1,
  messages: 1,
  latency_ns: null,
  bytes_per_s: null,
  achieved_hz: null,
  cpu_ns: 0,
  context_switches: null,
  core_distance_ns: [],
  distance: null,
  run_delay_ns: 0,
  gap_ns_max: 0,
  steal_ns: 0,
  load: null,
  frequency_hz: null,
  integrity: null,
  flags: [],
  ...changes,
});

/**
 * @param {string} name
 * @param {string} family
 * @param {Partial<import("../../web/js/types.js").Mechanism>} [changes]
 * @returns {import("../../web/js/types.js").Mechanism}
 */
export const aMechanism = (name, family, changes = {}) => ({
  name,
  title: name,
  family,
  available: true,
  unavailable_reason: null,
  message_bytes_max: 1048576,
  traits: {
    reach: "host",
    direction: "two_way",
    senders: "many",
    receivers: "many",
    synchronises: true,
    boundaries: false,
    persists: false,
  },
  waits: ["spin", "spin_futex", "futex", "block", "poll"],
  ...changes,
});
