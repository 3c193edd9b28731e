/**
 * What the page knows. The only way to change it is an action; views read and render, and never write.
 * `reduce` is pure. Listeners are told once a frame, however many actions came in.
 *
 * @typedef {import("./types.js").Run} Run
 * @typedef {import("./types.js").Case} Case
 * @typedef {import("./types.js").Trial} Trial
 * @typedef {import("./types.js").Sample} Sample
 *
 * @typedef {object} Notice  one sentence for the reader, perhaps with something to do about it
 * @property {string} text
 * @property {"good"|"bad"} tone
 * @property {{label: string, act: () => void}} [action]
 *
 * @typedef {object} State
 * @property {import("./types.js").Connection} connection
 * @property {string} connection_reason  why it is lost, where the server says so
 * @property {number} resync  rises whenever everything shown has to be fetched (again); 0: not yet
 * @property {readonly import("./types.js").Mechanism[]} mechanisms
 * @property {readonly import("./types.js").Preset[]} presets
 * @property {import("./offers.js").Offers|null} offers  what an experiment may say
 * @property {import("./types.js").Machine|null} machine  the one the server runs on
 * @property {ReadonlyMap<string, import("./types.js").Machine>} machines  that runs were taken on, by their full hash
 * @property {import("./types.js").Health|null} health
 * @property {ReadonlyMap<number, Run>} runs
 * @property {ReadonlyMap<number, number>} deleted  runs that were, while the page was open, and the revision that did it
 * @property {ReadonlyMap<number, readonly Case[]>} results
 * @property {ReadonlyMap<number, readonly Trial[]>} trials
 * @property {Sample|null} sample  of the trial being taken
 * @property {number|null} followed  the run that goes on, or went on last while the page was open
 * @property {Notice|null} notice
 *
 * @typedef {{type: "connection", connection: import("./types.js").Connection, reason?: string}
 *   | {type: "resync"}
 *   | {type: "catalogue", mechanisms: import("./types.js").Mechanism[], presets: import("./types.js").Preset[]}
 *   | {type: "offers", offers: import("./offers.js").Offers}
 *   | {type: "machine", machine: import("./types.js").Machine}
 *   | {type: "machine_of_runs", machine: import("./types.js").Machine}
 *   | {type: "health", health: import("./types.js").Health}
 *   | {type: "runs", runs: Run[]}
 *   | {type: "run_deleted", id: number, rev: number}
 *   | {type: "results", run: number, cases: Case[]}
 *   | {type: "case", run: number, case: Case}
 *   | {type: "trials", run: number, trials: Trial[]}
 *   | {type: "trial", run: number, trial: Trial}
 *   | {type: "sample", sample: Sample}
 *   | {type: "notice", notice: Notice|null}} Action
 *
 * @typedef {ReturnType<typeof createStore>} Store
 */

/** @type {State} */
export const initial_state = {
  connection: "connecting",
  connection_reason: "",
  resync: 0,
  mechanisms: [],
  presets: [],
  offers: null,
  machine: null,
  machines: new Map(),
  health: null,
  runs: new Map(),
  deleted: new Map(),
  results: new Map(),
  trials: new Map(),
  sample: null,
  followed: null,
  notice: null,
};

/**
 * @template K, V
 * @param {ReadonlyMap<K, V>} map
 * @param {K} key
 * @param {V} value
 * @returns {ReadonlyMap<K, V>}
 */
const withEntry = (map, key, value) => new Map(map).set(key, value);

/**
 * Answers and events travel on different connections, so an older run can arrive after a newer one.
 * @param {Run|undefined} known
 * @param {Run} incoming
 */
function isNewer(known, incoming) {
  if (!known || incoming.rev > known.rev) return true;
  return incoming.rev === known.rev && incoming.trials_done >= known.trials_done;
}

/**
 * @param {State} state
 * @param {Run} run
 * @returns {State}
 */
function withRun(state, run) {
  const known = state.runs.get(run.id);
  if (!isNewer(known, run) || run.rev <= (state.deleted.get(run.id) ?? 0)) return state;
  const running = run.state === "running";
  return {
    ...state,
    runs: withEntry(state.runs, run.id, run),
    followed: running ? run.id : state.followed,
    sample: !running && state.sample?.run === run.id ? null : state.sample,
  };
}

/**
 * @param {State["machines"]} machines
 * @param {import("./types.js").Machine} machine
 */
const withMachine = (machines, machine) => withEntry(machines, machine.full, machine);

/** @param {Case|undefined} known @param {Case} incoming */
const newerCase = (known, incoming) =>
  known && known.trials + known.failed > incoming.trials + incoming.failed ? known : incoming;

/**
 * Puts an item in its place, or in the place of its elder.
 * @template T
 * @param {readonly T[]} list  ascending by key
 * @param {T} item
 * @param {(item: T) => number} key_of
 * @returns {readonly T[]}
 */
function withItem(list, item, key_of) {
  const key = key_of(item);
  const last = list[list.length - 1];
  if (last === undefined || key_of(last) < key) return [...list, item];
  return [...list.filter((other) => key_of(other) < key), item, ...list.filter((other) => key_of(other) > key)];
}

/**
 * @param {State} state
 * @param {Action} action
 * @returns {State}
 */
export function reduce(state, action) {
  switch (action.type) {
    case "connection":
      return { ...state, connection: action.connection, connection_reason: action.reason ?? "" };
    case "resync":
      return { ...state, resync: state.resync + 1 };
    case "catalogue":
      return { ...state, mechanisms: action.mechanisms, presets: action.presets };
    case "offers":
      return { ...state, offers: action.offers };
    case "machine":
      return { ...state, machine: action.machine, machines: withMachine(state.machines, action.machine) };
    case "machine_of_runs":
      return { ...state, machines: withMachine(state.machines, action.machine) };
    case "health":
      return { ...state, health: action.health };
    case "runs":
      return action.runs.reduce(withRun, state);
    case "run_deleted": {
      const { id, rev } = action;
      if (rev <= Math.max(state.runs.get(id)?.rev ?? 0, state.deleted.get(id) ?? 0)) return state;
      const runs = new Map(state.runs);
      runs.delete(id);
      const deleted = withEntry(state.deleted, id, rev);
      return { ...state, runs, deleted, followed: state.followed === id ? null : state.followed };
    }
    case "results": {
      const known = new Map(state.results.get(action.run)?.map((one) => [one.number, one]));
      const cases = action.cases.map((one) => newerCase(known.get(one.number), one));
      return { ...state, results: withEntry(state.results, action.run, cases) };
    }
    case "case": {
      const cases = state.results.get(action.run) ?? [];
      const newer = newerCase(
        cases.find((one) => one.number === action.case.number),
        action.case,
      );
      return {
        ...state,
        results: withEntry(
          state.results,
          action.run,
          withItem(cases, newer, (one) => one.number),
        ),
      };
    }
    case "trials": {
      const read = new Set(action.trials.map((one) => one.id));
      const told_since = (state.trials.get(action.run) ?? []).filter((one) => !read.has(one.id));
      const trials = told_since.reduce(
        (list, one) => withItem(list, one, (other) => other.id),
        /** @type {readonly Trial[]} */ (action.trials),
      );
      return { ...state, trials: withEntry(state.trials, action.run, trials) };
    }
    case "trial": {
      const sample =
        state.sample?.run === action.run && state.sample.sequence === action.trial.sequence ? null : state.sample;
      const trials = state.trials.get(action.run) ?? [];
      return {
        ...state,
        sample,
        trials: withEntry(
          state.trials,
          action.run,
          withItem(trials, action.trial, (one) => one.id),
        ),
      };
    }
    case "sample":
      return { ...state, sample: action.sample };
    case "notice":
      return { ...state, notice: action.notice };
  }
}

/**
 * @param {State} [state]
 * @param {(tell: () => void) => void} [schedule]  once a frame in the page; tests pass their own
 */
export function createStore(state = initial_state, schedule = requestAnimationFrame) {
  /** @type {Set<() => void>} */
  const listeners = new Set();
  let scheduled = false;

  function tell() {
    scheduled = false;
    for (const listener of [...listeners]) if (listeners.has(listener)) listener();
  }

  return {
    getState: () => state,

    /** @param {Action} action */
    dispatch(action) {
      const before = state;
      state = reduce(state, action);
      if (state === before || scheduled) return;
      scheduled = true;
      schedule(tell);
    },

    /**
     * Calls back now, and whenever one of the selected values has changed.
     * @template {readonly unknown[]|[]} T
     * @param {(state: State) => T} select
     * @param {(...selected: NoInfer<T>) => void} listener
     * @param {AbortSignal} signal  ends it
     */
    watch(select, listener, signal) {
      let selected = select(state);
      const check = () => {
        const now = select(state);
        if (now.every((value, i) => Object.is(value, selected[i]))) return;
        selected = now;
        listener(...now);
      };
      if (signal.aborted) return;
      listeners.add(check);
      signal.addEventListener("abort", () => listeners.delete(check), { once: true });
      listener(...selected);
    },
  };
}
