/**
 * What the server sends (see /api/v1/openapi.json) and what the store keeps. Types only; nothing runs here.
 *
 * @typedef {"queued"|"running"|"done"|"failed"|"cancelled"|"interrupted"} RunState
 * @typedef {"round_trip"|"stream"|"paced"} Pattern
 *
 * @typedef {object} Traits
 * @property {"related"|"host"|"network"} reach
 * @property {"one_way"|"two_way"} direction
 * @property {"one"|"many"} senders
 * @property {"one"|"many"} receivers
 * @property {boolean} synchronises
 * @property {boolean} boundaries
 * @property {boolean} persists
 *
 * @typedef {object} Mechanism
 * @property {string} name
 * @property {string} title
 * @property {string} family
 * @property {boolean} available
 * @property {string|null} unavailable_reason
 * @property {number} message_bytes_max
 * @property {Traits} traits
 * @property {string[]} waits  the ways in which a worker can wait for it
 *
 * @typedef {object} Experiment
 * @property {string} [preset]
 * @property {string} [name]
 * @property {string[]} [mechanisms]
 * @property {Pattern[]} [patterns]
 * @property {number[]|Partial<Record<Pattern, number[]>>} [message_bytes]
 * @property {number} [trials]
 * @property {number} [duration_ms]
 * @property {number} [warmup_ms]
 * @property {number} [senders]
 * @property {number} [receivers]
 * @property {"related"|"unrelated"} [relation]
 * @property {string|{memory?: string, kernel?: string}} [wait]
 * @property {string} [placement]
 * @property {number|null} [buffer_bytes]
 * @property {number|number[]|null} [rate_hz]
 * @property {string} [verify]
 * @property {number|null} [seed]
 * @property {string[]} [tags]
 * @property {string} [note]
 *
 * @typedef {object} Preset
 * @property {string} name
 * @property {string} title
 * @property {Experiment} experiment
 * @property {number} estimated_ms
 *
 * @typedef {Record<string, unknown>} Facts
 *
 * @typedef {object} Overhead  what measuring costs
 * @property {number} clock_ns  one reading
 * @property {number} histogram_ns  one latency counted
 * @property {number} verify_header_ns  one message written and checked
 * @property {number} verify_full_ns_per_kib
 * @property {number} loop_ns  a round trip over nothing
 *
 * @typedef {object} Machine
 * @property {string} comparable
 * @property {string} full
 * @property {string} [host]
 * @property {number} [cpus]  that the server and its workers may use
 * @property {Facts} [facts]
 * @property {number[]} [load]
 * @property {Facts} [isolation]
 * @property {Overhead|null} [overhead]
 *
 * @typedef {object} CurrentTrial
 * @property {number} sequence
 * @property {string} mechanism
 * @property {Pattern} pattern
 * @property {number} message_bytes
 *
 * @typedef {object} Run
 * @property {number} id
 * @property {string} uid
 * @property {RunState} state
 * @property {string} name
 * @property {number} created_ms
 * @property {number|null} started_ms
 * @property {number|null} finished_ms
 * @property {number} trials_total
 * @property {number} trials_done
 * @property {number} trials_failed
 * @property {number|null} eta_ms
 * @property {Experiment} experiment
 * @property {Machine|null} machine  null before the run has started
 * @property {Facts} isolation
 * @property {Overhead|null} [overhead]  as when the run began
 * @property {string[]} tags
 * @property {string} note
 * @property {boolean} pinned
 * @property {number} rev
 * @property {CurrentTrial|null} [current]
 * @property {string|null} [message]
 * @property {boolean} [deleted]
 * @property {{mechanism: string, reason: string}[]} [skipped]
 *
 * @typedef {{value: number, low: number|null, high: number|null}} Estimate  the interval is null below 6 trials
 * @typedef {Estimate|null|undefined} MaybeEstimate
 *
 * @typedef {object} LatencyQuantiles
 * @property {MaybeEstimate} [p50]
 * @property {MaybeEstimate} [p90]
 * @property {MaybeEstimate} [p99]
 * @property {MaybeEstimate} [p999]
 * @property {MaybeEstimate} [max]
 *
 * @typedef {{lost?: number, torn?: number, duplicated?: number, reordered?: number}} Integrity
 *
 * @typedef {object} Measured  what was measured of some trials
 * @property {number} trials
 * @property {string|null} distance
 * @property {LatencyQuantiles|null} latency_ns
 * @property {MaybeEstimate} messages_per_s
 * @property {MaybeEstimate} bytes_per_s
 * @property {MaybeEstimate} cpu_ns_per_message
 * @property {MaybeEstimate} context_switches_per_message
 * @property {MaybeEstimate} system_calls_per_message
 * @property {MaybeEstimate} achieved_hz  paced only
 *
 * @typedef {object} CaseAlone
 * @property {number} number
 * @property {string} mechanism
 * @property {Pattern} pattern
 * @property {number} message_bytes
 * @property {string|null} wait
 * @property {string} placement
 * @property {string} relation
 * @property {number} senders
 * @property {number} receivers
 * @property {number|null} buffer_bytes
 * @property {number|null} rate_hz
 * @property {number} failed
 * @property {number|null} overhead_share  of a round trip's median
 * @property {Measured[]} by_distance  empty unless the trials differ in it
 * @property {Integrity|null} integrity
 * @property {string[]} flags
 *
 * @typedef {CaseAlone & Measured} Case
 *
 * @typedef {object} Trial
 * @property {number} id
 * @property {number} case
 * @property {number} sequence
 * @property {number} attempt
 * @property {string} state
 * @property {string|null} cause
 * @property {number} started_ms
 * @property {number} duration_ns
 * @property {number} messages
 * @property {Record<string, number|null>|null} latency_ns
 * @property {number|null} bytes_per_s
 * @property {number|null} [messages_per_s]
 * @property {number|null} achieved_hz  paced only
 * @property {number} cpu_ns
 * @property {{voluntary: number, involuntary: number}|null} context_switches
 * @property {number[]} core_distance_ns
 * @property {string|null} distance
 * @property {number} run_delay_ns
 * @property {number} gap_ns_max
 * @property {number} steal_ns
 * @property {number|null} load
 * @property {number|null} frequency_hz
 * @property {Integrity|null} integrity
 * @property {string[]} flags
 *
 * @typedef {object} Sample  a provisional figure of the trial being taken
 * @property {number} run
 * @property {number} sequence
 * @property {number} case
 * @property {string} mechanism
 * @property {Pattern} pattern
 * @property {number} message_bytes
 * @property {number} elapsed_ms
 * @property {number|null} messages_per_s
 * @property {number|null} bytes_per_s
 * @property {number|null} latency_ns_p50
 *
 * @typedef {object} Health
 * @property {string} status
 * @property {string} version
 * @property {number} [queue]
 * @property {number|null} [run]
 * @property {string} [archive]
 * @property {string|null} [archive_reason]
 *
 * @typedef {"connecting"|"live"|"lost"|"paused"} Connection
 */

export {};
