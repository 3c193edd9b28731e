/**
 * One attempt at a lab as it unfolds: its processes, their calls and states, what the panels showed. Lines come live from
 * the worker or from the archive; a line that is told twice is taken once. Pure but for the recorder's own state.
 *
 * @typedef {import("./types.js").Call} Call
 * @typedef {import("./types.js").LabWorker} LabWorker
 * @typedef {import("./types.js").Panel} Panel
 *
 * @typedef {object} Timeline
 * @property {LabWorker[]} workers  in the order they appeared
 * @property {Call[]} calls  in the order they began
 * @property {Panel[]} panels  in the order they were shown
 * @property {number} end_ns  the latest time anything happened
 * @property {number} dropped_calls  that the ring had no room for
 *
 * @typedef {object} Step  something to stop at when going through an attempt
 * @property {number} ns
 * @property {"call"|"begin"|"return"|"state"} kind  call: it returned before anything else happened
 * @property {string} worker
 * @property {Call|null} call
 * @property {import("./types.js").WorkerState|null} state
 */

/** From here on a call is said to have waited. */
const waited_ns_min = 1e6;

const sleeping = /sleep|^pause$/;
/** Calls that are shown as one because there are too many. */
const loop = /again and again|\btimes$/;
/** What may wait for somebody else. Another call that takes long was only kept from the CPU. */
const waiting =
  /^(open|p?read|p?write|recv|send|connect|accept|wait|sem|p?poll|p?select|epoll|futex|flock|fcntl|msg|mq_|v?m?splice|close|shutdown|f?gets|f?scanf|f?printf|fread|fwrite|fflush|fclose|getc|getline)/;

/** @returns {Timeline} */
const emptyTimeline = () => ({ workers: [], calls: [], panels: [], end_ns: 0, dropped_calls: 0 });

/** What names a panel among those of its kind. @param {any} line */
const panelName = (line) => String(line.data?.name ?? line.data?.title ?? line.data?.worker ?? "");

export function createRecorder() {
  const timeline = emptyTimeline();
  /** @type {Map<string, LabWorker>} */
  const workers = new Map();
  /** @type {Map<number, Call>} */
  const calls = new Map();
  /** @type {Set<string>} */
  const seen = new Set();

  /** @param {string} name */
  function workerOf(name) {
    const known = workers.get(name);
    if (known) return known;
    const worker = { worker: name, pid: null, states: [] };
    workers.set(name, worker);
    timeline.workers.push(worker);
    return worker;
  }

  /** @param {number|null|undefined} ns */
  function reach(ns) {
    if (typeof ns === "number" && ns > timeline.end_ns) timeline.end_ns = ns;
  }

  /** @param {any} line @param {number} number */
  function takeCall(line, number) {
    workerOf(line.worker);
    const known = calls.get(number);
    const call = known ?? {
      number,
      worker: line.worker,
      call: line.call,
      arguments: line.arguments ?? "",
      begin_ns: line.begin_ns,
      end_ns: null,
      cut_ns: null,
      returned: null,
      errno: null,
      bytes: null,
    };
    if (typeof line.end_ns === "number") takeReturn(call, line);
    reach(line.begin_ns);
    if (known) return;
    calls.set(number, call);
    // Batches of different processes may overlap by a little.
    let at = timeline.calls.length;
    while (at > 0 && timeline.calls[at - 1].begin_ns > call.begin_ns) at--;
    timeline.calls.splice(at, 0, call);
  }

  /** @param {Call|undefined} call @param {any} line */
  function takeReturn(call, line) {
    if (!call) return;
    call.end_ns = line.end_ns;
    call.returned = line.returned ?? null;
    call.errno = line.errno ?? null;
    call.bytes = line.bytes ?? null;
    reach(line.end_ns);
  }

  /** @param {any} line */
  function takeState({ worker, at_ns, state, cause = null }) {
    const { states } = workerOf(worker);
    if (states.some((one) => one.at_ns === at_ns && one.state === state)) return;
    states.push({ at_ns, state, cause });
    states.sort((a, b) => a.at_ns - b.at_ns);
    reach(at_ns);
    if (state === "ended") cutCalls(worker, at_ns);
  }

  /** A process that ended took the call it was in along. @param {string} worker @param {number} at_ns */
  function cutCalls(worker, at_ns) {
    for (const call of timeline.calls) if (call.worker === worker && call.end_ns === null) call.cut_ns = at_ns;
  }

  /** @param {any} line */
  function takePanel(line) {
    const panel = { panel: line.panel, name: panelName(line), at_ns: line.at_ns ?? 0, data: line.data };
    const key = JSON.stringify([panel.panel, panel.name, panel.at_ns]);
    if (seen.has(key)) return;
    seen.add(key);
    // Each process tells its own, so they come in any order.
    let at = timeline.panels.length;
    while (at > 0 && timeline.panels[at - 1].at_ns > panel.at_ns) at--;
    timeline.panels.splice(at, 0, panel);
    reach(panel.at_ns);
  }

  return {
    timeline,
    /** One line of the worker. @param {any} line */
    take(line) {
      switch (line.type) {
        case "worker":
          workerOf(line.worker).pid = line.pid ?? null;
          break;
        case "call":
          takeCall(line, line.number);
          break;
        case "return":
          takeReturn(calls.get(line.number), line);
          break;
        case "state":
          takeState(line);
          break;
        case "panel":
          takePanel(line);
          break;
        case "result":
          timeline.dropped_calls = line.dropped_calls ?? 0;
          break;
      }
    },
    /**
     * What the archive holds of an attempt.
     * @param {Pick<import("./types.js").Attempt, "workers"|"timeline"|"panels"|"dropped_calls">} attempt
     */
    takeAttempt({ workers: processes = [], timeline: entries = [], panels = [], dropped_calls = 0 }) {
      for (const one of processes) {
        workerOf(one.worker).pid = one.pid;
        for (const state of /** @type {any} */ (one).states ?? []) takeState({ worker: one.worker, ...state });
      }
      entries.forEach((one, i) => takeCall(one, one.number ?? i + 1));
      for (const { worker, states } of timeline.workers)
        for (const { state, at_ns } of states) if (state === "ended") cutCalls(worker, at_ns);
      for (const one of panels) takePanel(one);
      timeline.dropped_calls = dropped_calls;
    },
  };
}

/**
 * How long a call took, as far as is known at `now_ns`.
 * @param {Call} call
 * @param {number} now_ns
 */
export const durationOf = (call, now_ns) => Math.max(0, (call.end_ns ?? call.cut_ns ?? now_ns) - call.begin_ns);

/**
 * What a call did to its process: it slept, waited for another, failed or was its end, or was quick.
 * @param {Call} call
 * @param {number} now_ns
 * @returns {"slept"|"blocked"|"failed"|"quick"}
 */
export function kindOf(call, now_ns) {
  const long = durationOf(call, now_ns) >= waited_ns_min;
  if (long && sleeping.test(call.call)) return "slept";
  if (long && waiting.test(call.call) && !loop.test(call.arguments)) return "blocked";
  return call.errno || call.cut_ns !== null ? "failed" : "quick";
}

/**
 * The state a process was in at a time, null before it was there.
 * @param {LabWorker} worker
 * @param {number} ns
 */
export function stateAt(worker, ns) {
  let found = null;
  for (const state of worker.states) {
    if (state.at_ns > ns) break;
    found = state;
  }
  return found;
}

/**
 * Everything worth a stop, in its order. A call that returned before anything else happened is one stop.
 * @param {Timeline} timeline
 * @returns {Step[]}
 */
export function stepsOf({ calls, workers }) {
  /** @type {Step[]} */
  const events = [];
  for (const call of calls) {
    events.push({ ns: call.begin_ns, kind: "begin", worker: call.worker, call, state: null });
    if (call.end_ns !== null)
      events.push({ ns: call.end_ns, kind: "return", worker: call.worker, call, state: null });
  }
  for (const { worker, states } of workers)
    for (const state of states)
      if (state.state === "ended") events.push({ ns: state.at_ns, kind: "state", worker, call: null, state });
  events.sort((a, b) => a.ns - b.ns || (a.call?.number ?? Infinity) - (b.call?.number ?? Infinity));
  /** @type {Step[]} */
  const steps = [];
  for (const event of events) {
    const last = steps[steps.length - 1];
    if (event.kind === "return" && last?.kind === "begin" && last.call === event.call)
      steps[steps.length - 1] = { ...event, kind: "call" };
    else steps.push(event);
  }
  return steps;
}

/**
 * The last stop at or before a time; -1: none.
 * @param {readonly Step[]} steps
 * @param {number} ns
 */
export function stepAt(steps, ns) {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle].ns <= ns) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * What each panel of a kind showed at a time. The archive keeps the last contents only: those stand for all of the time.
 * @param {Timeline} timeline
 * @param {import("./types.js").PanelKind} kind
 * @param {number} ns
 * @returns {Panel[]}  by name, in the order of their first appearance
 */
export function panelsAt({ panels }, kind, ns) {
  /** @type {Map<string, Panel>} */
  const shown = new Map();
  for (const panel of panels) {
    if (panel.panel !== kind) continue;
    if (!shown.has(panel.name) || panel.at_ns <= ns) shown.set(panel.name, panel);
  }
  return [...shown.values()];
}

/** So soon after a call its worker has looked at what the channel holds, if it does look. */
const look_ns_max = 2e4;

/**
 * What the channel held after a call: at its worker's look between this call and its next, else as it was last seen.
 * @param {Timeline} timeline
 * @param {Call} call
 * @returns {Panel["data"]}
 */
export function levelAfter({ calls, panels }, { worker, begin_ns, end_ns }) {
  const end = end_ns ?? begin_ns;
  const next = calls.find((one) => one.worker === worker && one.begin_ns >= end);
  const until = Math.min(end + look_ns_max, next?.begin_ns ?? Infinity);
  let level = {};
  for (const { panel, at_ns, data } of panels) {
    if (panel !== "gauge") continue;
    if (at_ns >= until) break;
    level = data;
    if (at_ns >= end) break;
  }
  return level;
}
