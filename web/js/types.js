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
 * @property {string} [experiment_hash]  equal for experiments that measure the same
 * @property {Machine|null} machine  null before the run has started
 * @property {Facts} isolation
 * @property {Overhead|null} [overhead]  as when the run began
 * @property {string[]} tags
 * @property {string} note
 * @property {boolean} pinned
 * @property {number|null} [imported_ms]  null: it was taken here
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
 * @property {Series|null} [series]
 *
 * @typedef {object} Series  the blocks of a trial, by column
 * @property {number[]} begin_ns
 * @property {number[]} duration_ns
 * @property {number[]} messages
 * @property {(number|null)[]} latency_p50_ns
 *
 * @typedef {"faster"|"slower"|"same"|"inconclusive"|"not_comparable"} VerdictWord
 *
 * @typedef {object} Verdict  one case of one run held against the base
 * @property {number} against
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
 * @property {string} statistic
 * @property {string|null} distance
 * @property {number|null} ratio  against/base; null: no trials of equal distance in both
 * @property {number|null} low
 * @property {number|null} high
 * @property {number|null} p
 * @property {number|null} p_adjusted
 * @property {number|null} cliffs_delta
 * @property {[number, number]} n  comparable trials of the base and of the other
 * @property {number} margin  a ratio closer to 1 is no difference
 * @property {VerdictWord} verdict
 * @property {"distance"|"verify"|"duration_ms"|null} reason  why it is not comparable
 * @property {number|null} trials_needed  of an inconclusive one, about how many of each run
 *
 * @typedef {object} Comparison
 * @property {number} base
 * @property {number[]} against
 * @property {string} statistic
 * @property {"holm"|"benjamini_hochberg"} correction
 * @property {number} margin  ratios this close to 1 are the same; the widest of the verdicts
 * @property {{value: number, pairs: number}|null} noise_floor  by how much equal runs differ on the base's machine
 * @property {Verdict[]} verdicts
 * @property {Omnibus[]} omnibus  of cases that three runs or more have
 * @property {boolean|null} comparable  null: it is not known on which machine a run was taken
 * @property {"pass"|"regression"|"inconclusive"|"nothing_measured"|"not_comparable"|null} gate
 * @property {string|null} gate_reason
 * @property {number|null} trials_needed  of an inconclusive gate
 *
 * @typedef {Pick<Verdict, "mechanism"|"pattern"|"message_bytes"|"rate_hz"|"wait"|"placement"|"relation"|"senders"|"receivers">
 *   & {statistic: string, distance: string|null, runs: number, h: number, p: number}} Omnibus  do the runs differ at all?
 *
 * @typedef {object} TrendPoint  a run: the median over the trials of a case
 * @property {number} run
 * @property {number} created_ms
 * @property {number} value
 * @property {number|null} low
 * @property {number|null} high
 * @property {number} n
 *
 * @typedef {object} ChangePoint
 * @property {number} run  the first of the new level
 * @property {number} previous_run
 * @property {number} before
 * @property {number} after
 * @property {number} ratio
 * @property {number} p
 *
 * @typedef {Pick<Verdict, "mechanism"|"pattern"|"message_bytes"|"rate_hz"|"wait"|"placement"|"relation"|"senders"|"receivers">
 *   & {statistic: string, distance: string|null, points: TrendPoint[], change_points: ChangePoint[]}} TrendSeries
 *
 * @typedef {object} Trend  one experiment on one machine
 * @property {string} experiment
 * @property {string} machine
 * @property {string} statistic
 * @property {number} runs
 * @property {TrendSeries[]} series
 * @property {string|null} next_cursor
 *
 * @typedef {object} RepeatedExperiment
 * @property {string} experiment_hash
 * @property {{comparable: string, full: string}} machine
 * @property {number} runs
 * @property {number} first_ms
 * @property {number} last_ms
 * @property {number} last_run
 * @property {string} name
 * @property {Experiment} experiment
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
 * @property {number|null} latency_p50_ns
 *
 * @typedef {object} Health
 * @property {string} status
 * @property {string} version
 * @property {number} [queue]
 * @property {number|null} [run]
 * @property {string} [archive]
 * @property {string|null} [archive_reason]
 *
 * @typedef {"lanes"|"gauge"|"hexdump"|"maps"|"strip"|"counters"|"histogram"|"matrix"|"terminals"|"descriptors"|"ranking"} PanelKind
 * @typedef {string|number|boolean} Answer
 * @typedef {{value: Answer, title: string}} Choice
 *
 * @typedef {object} LabParameter
 * @property {string} name
 * @property {"integer"|"choice"|"boolean"|"text"} type
 * @property {number|null} min  of a text: how many characters
 * @property {number|null} max
 * @property {number|null} step  an integer is a multiple of it
 * @property {LabBound[]} bounds
 * @property {Answer} default
 * @property {Choice[]|null} choices
 * @property {string} title
 *
 * @typedef {object} LabBound  what another parameter makes of the range
 * @property {"max"|"not"|"product"|"times"|"share"} kind
 * @property {string} by
 * @property {string[]} when  the choices of the other that make it so
 * @property {number|string} limit
 *
 * @typedef {object} LabPrediction
 * @property {"integer"|"choice"} type
 * @property {number|null} min
 * @property {number|null} max
 * @property {Choice[]|null} choices
 * @property {number} tolerance_percent
 * @property {string} title
 *
 * @typedef {object} Lab
 * @property {string} name
 * @property {number} number
 * @property {string} title
 * @property {string} question
 * @property {string} teaches
 * @property {string[]} mechanisms
 * @property {number[]} claims
 * @property {PanelKind[]} panels
 * @property {boolean} interactive
 * @property {number} duration_ms_max
 * @property {LabParameter[]} parameters
 * @property {LabPrediction} prediction
 * @property {Suggestion[]} next
 *
 * @typedef {{text: string, parameters: Parameters}} Suggestion  without parameters: something to look at
 *
 * @typedef {Record<string, Answer>} Parameters
 * @typedef {{call: string, errno: string, what: string}} Skipped
 *
 * @typedef {object} Call  of one process; times are from the start of the lab
 * @property {number} number
 * @property {string} worker
 * @property {string} call
 * @property {string} arguments
 * @property {number} begin_ns
 * @property {number|null} end_ns  null: it has not returned
 * @property {number|null} cut_ns  when its process ended inside it
 * @property {number|string|null} returned  an address as text
 * @property {string|null} errno
 * @property {number|null} bytes
 *
 * @typedef {{at_ns: number, state: string, cause: string|null}} WorkerState
 * @typedef {{worker: string, pid: number|null, states: WorkerState[]}} LabWorker
 * @typedef {{panel: PanelKind, name: string, at_ns: number, data: any}} Panel  what one panel showed from at_ns on
 *
 * @typedef {object} Attempt
 * @property {number} id
 * @property {string} uid
 * @property {string} lab
 * @property {"queued"|"running"|"done"|"failed"|"cancelled"} state
 * @property {string|null} [waiting_for]
 * @property {string|null} [message]  why it failed
 * @property {number} created_ms
 * @property {number|null} finished_ms
 * @property {number|null} [record_dropped_ms]  when retention dropped workers, panels and timeline
 * @property {string|null} student
 * @property {string|null} group
 * @property {Parameters} parameters
 * @property {{answer: Answer, reason: string}|null} prediction
 * @property {Answer|null} outcome
 * @property {boolean|null} agrees
 * @property {Record<string, any>} evidence
 * @property {string|null} explanation
 * @property {Skipped|null} [skipped]
 * @property {number[]} claims
 * @property {Pick<Machine, "comparable"|"full">|null} machine
 * @property {string|null} kernel
 * @property {number} [dropped_calls]
 * @property {{worker: string, pid: number|null}[]} [workers]
 * @property {any[]} [panels]
 * @property {any[]} [timeline]
 *
 * @typedef {{answer: Answer, count: number}[]} AnswerCounts
 * @typedef {{predicted: AnswerCounts, observed: AnswerCounts}} Predictions
 * @typedef {{full: string, comparable: string, kernel: string|null, cpu_model: string|null, claims: number, newest_ms: number}} CheckMachine
 *
 * @typedef {"holds"|"conditional"|"does_not_hold"|"inconclusive"|"skipped"} ClaimVerdict
 *
 * @typedef {object} Check
 * @property {number} id
 * @property {number} claim
 * @property {"queued"|"running"|"done"|"failed"|"cancelled"} state
 * @property {ClaimVerdict|null} verdict
 * @property {Record<string, any>} evidence
 * @property {string|null} why
 * @property {number} [repeats]
 * @property {Skipped|null} [skipped]
 * @property {number} [created_ms]
 * @property {number|null} [finished_ms]
 * @property {string|null} [kernel]
 * @property {Pick<Machine, "comparable"|"full">|null} [machine]
 * @property {string|null} [waiting_for]
 * @property {string|null} [message]
 *
 * @typedef {object} Claim
 * @property {number} number
 * @property {string} mechanism
 * @property {string[]} also  mechanisms of which its experiment shows the same
 * @property {string[]} criteria  of the matrix, that it proves
 * @property {boolean} timed  it is about speed
 * @property {string} text
 * @property {string} experiment  what is done, in words
 * @property {string} source  the few lines of C that matter
 * @property {string[]} labs
 * @property {Check|null} latest
 *
 * @typedef {"connecting"|"live"|"lost"|"paused"} Connection
 */

export {};
