/** One lab: predict, run, observe, explain. The address holds every parameter, and the attempt that is looked at. */

import { loadCatalogue, problemText } from "../js/actions.js";
import * as api from "../js/api.js";
import { createAttemptSession, isOver } from "../js/attempt-session.js";
import { h, setChildren, setText } from "../js/dom.js";
import { followTopic } from "../js/events.js";
import { formatTime } from "../js/format.js";
import { defaultsOf, parametersOf, permalinkOf, refusalsOf, sameParameters } from "../js/lab-parameters.js";
import { legendOf } from "../js/mechanisms.js";
import { loadMessages, say } from "../js/messages.js";
import { navigate, navigateQuery, setTitle } from "../js/router.js";
import { createAttempts } from "../components/lab/attempts.js";
import { createExplain } from "../components/lab/explain.js";
import { createHandIn, createProjector, createSheet, createStatus, createTitle } from "../components/lab/head.js";
import { createObserve } from "../components/lab/observe.js";
import { isPicture } from "../components/lab/panels.js";
import { createPredict } from "../components/lab/predict.js";
import { createProgram } from "../components/lab/program.js";
import { createSetup } from "../components/lab/setup.js";
import { createStudent } from "../components/lab/student.js";

/**
 * @typedef {import("../js/types.js").Lab} Lab
 * @typedef {import("../js/types.js").Attempt} Attempt
 * @typedef {import("../js/types.js").Parameters} Parameters
 */

const attempts_listed = 100;
const labs_count = 16;
/** A class ends its attempts within seconds: what it did is read once for all of them. */
const together_ms = 1000;

/**
 * The parts of a lab and their places.
 * @param {Lab} lab
 * @param {AbortSignal} signal
 * @param {object} to
 * @param {(parameters: Parameters|null) => void} to.onparameters  null: something is out of its bounds
 * @param {(prediction: Attempt["prediction"]) => void} to.onrun
 * @param {() => void} to.onagain
 * @param {() => void} to.onanew
 * @param {() => void} to.onstop
 * @param {() => void} to.onstudent
 * @param {import("../components/lab/terminals.js").Send} to.ontype
 */
function createFrame(lab, signal, to) {
  const setup = createSetup(lab, {
    onchange: to.onparameters,
    ondefaults: () => to.onparameters(defaultsOf(lab)),
  });
  const predict = createPredict(lab, { onrun: to.onrun, onagain: to.onanew });
  const observe = createObserve(signal, to.ontype);
  const explain = createExplain();
  const status = createStatus();
  const student = createStudent(to.onstudent);
  const projector = createProjector(() =>
    navigateQuery({ projector: new URLSearchParams(location.search).has("projector") ? null : "1" }),
  );
  const hand_in = createHandIn(lab);
  const sheet = createSheet();
  const history = createAttempts();
  const program = createProgram(() => api.getLabSource(lab.name, signal));
  const trouble = h("p", { class: "callout bad", role: "alert", hidden: true });
  const stop = h("button", { type: "button", onclick: to.onstop }, say("lab.stop"));
  const again = h("button", { type: "button", class: "primary", onclick: to.onagain }, say("lab.again"));
  const before = h("p", { class: "lab-before muted" }, say("lab.before"));
  const dropped = h("p", { class: "lab-before muted", hidden: true });
  const observed = h(
    "section",
    { class: "card lab-observe", "aria-labelledby": "lab-observe" },
    h(
      "div",
      { class: "card-head observe-head" },
      h("h2", { id: "lab-observe" }, say("observe.title")),
      status.element,
      h("div", { class: "row no-print" }, stop, again),
    ),
    // Where whoever asked for a run looks for it, on a phone, too.
    trouble,
    before,
    dropped,
    // What a lab names first is what it is about.
    isPicture(lab.panels[0] ?? "") && observe.panels,
    observe.element,
  );
  const tools = h(
    "div",
    { class: "lab-tools" },
    student.element,
    h("div", { class: "row" }, projector.element, hand_in.element),
  );
  return {
    ...{ setup, predict, observe, explain, status, student, projector, hand_in, sheet, history },
    ...{ trouble, stop, again, before, dropped },
    elements: [
      h("div", { class: "view-head" }, h("div", { class: "grow" }, createTitle(lab, labs_count)), tools),
      sheet.element,
      h(
        "div",
        { class: "lab-grid" },
        h("div", { class: "card lab-ask" }, setup.element, predict.element),
        h("div", { class: "lab-seen" }, observed, !observed.contains(observe.panels) && observe.panels, program.element),
        explain.element,
      ),
      history.element,
    ],
  };
}

/**
 * What was tried in this lab before, by the group of whoever sits here.
 * @param {Lab} lab
 * @param {AbortSignal} signal
 */
function createHistory(lab, signal) {
  let turn = 0;
  /** Those that retention dropped: an answer that was long on its way may still have them. @type {Set<number>} */
  const gone = new Set();
  return {
    /** @type {Attempt[]} */
    attempts: [],
    more: false,
    /** @type {import("../js/types.js").Predictions|null} */
    everybody: null,
    /**
     * @param {string} group
     * @param {Attempt|null} ended  what others said is not told before one has spoken
     * @returns {Promise<boolean>}  false: overtaken by a later call, which knows more
     */
    async load(group, ended) {
      const mine = ++turn;
      const [list, counts] = await Promise.all([
        api.getAttempts(lab.name, { limit: attempts_listed, group }, signal),
        ended && api.getPredictions(lab.name, { group, like: ended.id }, signal),
      ]);
      if (mine !== turn) return false;
      this.attempts = list.attempts.filter(({ id }) => !gone.has(id));
      this.more = list.next_cursor !== null;
      this.everybody = counts;
      return true;
    },
    /** @param {number} id @returns {boolean}  whether it was listed */
    forget(id) {
      gone.add(id);
      const before = this.attempts.length;
      this.attempts = this.attempts.filter((one) => one.id !== id);
      return this.attempts.length < before;
    },
    /** @param {Attempt|null} attempt */
    hasForgotten: (attempt) => attempt !== null && gone.has(attempt.id),
  };
}

/**
 * The lab once it is known: its parts wired to each other.
 * @param {import("../js/router.js").ViewContext} context
 * @param {Lab} lab
 */
function createLab({ root, signal, query, store }, lab) {
  let asked = query;
  let parameters = parametersOf(lab, query);
  let in_bounds = true;
  let starting = false;
  let animation = 0;
  let later = 0;
  /** What had the focus is gone, and what takes its place is not there yet. */
  let unseated = false;
  /** One key after the other, as they were pressed. */
  let typed = Promise.resolve();
  const history = createHistory(lab, signal);

  const session = createAttemptSession(signal, {
    onchange: () => follow(),
    onover: () => void loadHistory(),
    onproblem: fail,
  });
  const frame = createFrame(lab, signal, {
    onparameters: (now) => changeParameters(now),
    onrun: (prediction) => void run(prediction),
    onagain: () => void run(session.attempt()?.prediction ?? null),
    onanew: () => navigateQuery({ attempt: null }),
    onstop: () => void api.cancelAttempt(session.attempt()?.id ?? 0).catch(fail),
    onstudent: () => void loadHistory(),
    ontype: (terminal, input) => {
      const id = session.attempt()?.id;
      if (id) typed = typed.then(() => api.postInput(id, { terminal, ...input })).catch(fail);
    },
  });
  root.append(...frame.elements);
  signal.addEventListener("abort", () => {
    window.cancelAnimationFrame(animation);
    clearTimeout(later);
    document.documentElement.removeAttribute("data-projector");
  });

  /** @param {unknown} error */
  function fail(error) {
    if (signal.aborted) return;
    if (error instanceof api.Problem) frame.setup.refuse(error.errors);
    setText(frame.trouble, problemText(error));
    frame.trouble.hidden = false;
  }

  /** @param {Record<string, string>} [more] */
  const address = (more = {}) =>
    permalinkOf(lab, parameters, { ...more, ...(asked.has("projector") ? { projector: "1" } : {}) });

  /** @param {Parameters|null} now */
  function changeParameters(now) {
    in_bounds = now !== null;
    if (now === null || sameParameters(lab, now, parameters)) return render();
    parameters = now;
    return navigate(address(), { replace: true });
  }

  /** @param {Attempt["prediction"]} prediction */
  async function run(prediction) {
    if (starting) return;
    starting = true;
    frame.trouble.hidden = true;
    frame.observe.reset();
    render();
    try {
      const started = await session.start(lab.name, { parameters, prediction, ...frame.student.who() });
      if (started) navigate(address({ attempt: String(started.id) }));
    } catch (error) {
      fail(error);
    } finally {
      starting = false;
      render();
    }
  }

  async function loadHistory() {
    try {
      const attempt = session.attempt();
      const ended = isOver(attempt) && !history.hasForgotten(attempt) ? attempt : null;
      if (await history.load(frame.student.who().group, ended)) renderHistory();
    } catch (error) {
      fail(error);
    }
  }

  /** Draws once a frame while an attempt goes on. */
  function follow() {
    window.cancelAnimationFrame(animation);
    if (signal.aborted) return;
    render();
    if (session.attempt() && !isOver(session.attempt())) animation = window.requestAnimationFrame(follow);
  }

  function renderHistory() {
    const { attempts, more, everybody } = history;
    const current = isOver(session.attempt()) ? session.attempt() : null;
    frame.history.update({ lab, attempts, more, current, everybody, who: frame.student.who() });
  }

  let explained = -1;
  /** @param {Attempt|null} ended */
  function renderEnd(ended) {
    if ((ended?.id ?? 0) === explained) return;
    explained = ended?.id ?? 0;
    frame.explain.update(lab, ended);
    frame.sheet.update(ended);
    renderHistory();
  }

  /**
   * Whoever goes by keyboard goes on from what took the place of the control that was used: the form gives way to Stop,
   * that to Run again, and to predict anew there is the form again.
   * @param {Element|null} held  what had the focus before
   */
  function keepFocus(held) {
    if (held && root.contains(held)) unseated = held.matches("[hidden] *, [hidden], :disabled");
    const next = [frame.stop, frame.again].find((button) => !button.hidden) ?? frame.predict.first();
    if (!unseated || !next) return;
    next.focus();
    unseated = false;
  }

  function render() {
    const held = document.activeElement;
    const attempt = session.attempt();
    const over = isOver(attempt);
    const running = starting || (attempt !== null && !over);
    const legend = legendOf(store.getState().mechanisms);
    const projected = asked.has("projector");
    const fits = refusalsOf(lab, parameters).length === 0;
    document.documentElement.toggleAttribute("data-projector", projected);
    frame.projector.update(projected);
    frame.setup.update(parameters, running, in_bounds);
    frame.predict.update(over ? "locked" : running ? "busy" : "open", attempt?.prediction ?? null, in_bounds && fits);
    frame.status.update(attempt);
    frame.hand_in.update(history.hasForgotten(attempt) ? null : attempt, parameters);
    frame.before.hidden = attempt !== null;
    setText(frame.dropped, attempt?.record_dropped_ms ? say("observe.dropped", { time: formatTime(attempt.record_dropped_ms) }) : "");
    frame.dropped.hidden = frame.dropped.textContent === "";
    frame.observe.element.hidden = attempt === null || (over && session.timeline().workers.length === 0);
    frame.again.hidden = !over;
    frame.stop.hidden = attempt === null || over;
    frame.observe.update({
      timeline: session.timeline(),
      live: attempt !== null && !over,
      now_ns: session.nowNs(),
      panels: lab.panels,
      legend,
      look: legend.lookOf(lab.mechanisms[0] ?? ""),
    });
    renderEnd(over ? attempt : null);
    keepFocus(held);
  }

  /** @param {number} id */
  async function show(id) {
    frame.trouble.hidden = true;
    frame.observe.reset();
    try {
      await session.show(id);
      const attempt = session.attempt();
      if (attempt && attempt.lab !== lab.name) navigate(`/labs/${attempt.lab}?attempt=${id}`, { replace: true });
      else if (attempt?.id === id) parameters = { ...parameters, ...attempt.parameters };
      render();
    } catch (error) {
      fail(error);
    }
  }

  /** @param {URLSearchParams} now */
  function followQuery(now) {
    asked = now;
    const id = Number(now.get("attempt"));
    if (id > 0) {
      if (session.attempt()?.id !== id) void show(id);
    } else {
      parameters = parametersOf(lab, now);
      in_bounds = true;
      if (session.attempt()) {
        frame.predict.clear();
        frame.observe.reset();
        session.leave();
        window.scrollTo(0, 0);
      }
    }
    render();
  }

  store.watch((state) => [state.mechanisms], render, signal);
  window.addEventListener("beforeprint", () => frame.explain.unfold(), { signal });
  setTitle(`${lab.number} · ${lab.title}`);
  void loadHistory();
  followQuery(query);
  return {
    query: followQuery,
    /** Something may have been missed. */
    reload() {
      if (session.attempt() === null || isOver(session.attempt())) void loadHistory();
    },
    /** @param {Attempt} told  whose state has changed, whoever tries it */
    hear(told) {
      if (told.lab !== lab.name || told.id === session.attempt()?.id) return;
      later ||= window.setTimeout(() => {
        later = 0;
        void loadHistory();
      }, together_ms);
    },
    /** @param {number} id  of an attempt that is no longer in the archive */
    forget(id) {
      if (history.forget(id)) renderHistory();
      if (session.attempt()?.id !== id) return;
      setText(frame.trouble, say("lab.gone"));
      frame.trouble.hidden = false;
      render();
    },
  };
}

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountLab(context) {
  const { root, signal, parameters, store } = context;
  const [name] = parameters;
  let asked = context.query;
  /** @type {ReturnType<typeof createLab>|null} */
  let lab = null;
  const status = h("p", { role: "status" }, "…");
  root.append(h("h1", { tabindex: "-1" }, name), status);

  async function load() {
    try {
      const [description] = await Promise.all([api.getLab(name, signal), loadMessages(), loadCatalogue(store)]);
      if (signal.aborted || lab) return;
      setChildren(root);
      lab = createLab({ ...context, query: asked }, description);
    } catch (error) {
      if (!signal.aborted) setText(status, problemText(error));
    }
  }

  followTopic(
    "attempts",
    {
      attempt: (/** @type {Attempt} */ told) => lab?.hear(told),
      attempt_deleted: (/** @type {{id: number}} */ { id }) => lab?.forget(id),
    },
    () => {},
    signal,
  );
  store.watch(
    (state) => [state.resync],
    (resync) => {
      if (lab) lab.reload();
      else if (resync > 0) void load();
    },
    signal,
  );
  return {
    title: name,
    query: (now) => {
      asked = now;
      lab?.query(now);
    },
  };
}
