/** One lab: predict, run, observe, explain. The address holds every parameter, and the attempt that is looked at. */

import { loadCatalogue, problemText } from "../js/actions.js";
import {
  Problem,
  cancelAttempt,
  getAttempt,
  getAttempts,
  getLab,
  getLabSource,
  getPredictions,
  postAttempt,
  postInput,
} from "../js/api.js";
import { h, setAttribute, setChildren, setText } from "../js/dom.js";
import { followTopics } from "../js/events.js";
import { formatTime } from "../js/format.js";
import { defaultsOf, parametersOf, permalinkOf, sameParameters } from "../js/lab-parameters.js";
import { legendOf } from "../js/mechanisms.js";
import { loadMessages, say, waitingText } from "../js/messages.js";
import { navigate, navigateQuery, setTitle } from "../js/router.js";
import { createRecorder } from "../js/timeline.js";
import { createAttempts } from "../components/lab/attempts.js";
import { createExplain } from "../components/lab/explain.js";
import { createObserve } from "../components/lab/observe.js";
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

/** @param {Attempt|null} attempt */
const isOver = (attempt) => attempt !== null && attempt.state !== "queued" && attempt.state !== "running";

/** What the machine shows while an attempt goes on: its lines, and the time that has passed since they came. */
function createLive() {
  let recorder = createRecorder();
  let told_ms = 0;
  let told_ns = 0;
  return {
    timeline: () => recorder.timeline,
    reset() {
      recorder = createRecorder();
      told_ms = 0;
    },
    /** @param {any} line */
    take(line) {
      recorder.take(line);
      if (told_ms === 0 || recorder.timeline.end_ns > this.now_ns()) {
        told_ms = performance.now();
        told_ns = recorder.timeline.end_ns;
      }
    },
    /** @param {Attempt} attempt */
    takeAttempt(attempt) {
      recorder.takeAttempt(attempt);
    },
    now_ns: () =>
      Math.max(recorder.timeline.end_ns, told_ms === 0 ? 0 : told_ns + 1e6 * (performance.now() - told_ms)),
  };
}

/** @param {Lab} lab @param {number} count */
function createHead(lab, count) {
  const toggle = h("button", {
    type: "button",
    class: "small no-print",
    onclick: () => navigateQuery({ projector: new URLSearchParams(location.search).has("projector") ? null : "1" }),
  });
  const copied = h("span", { role: "status", class: "muted" });
  return {
    element: h(
      "div",
      { class: "lab-head" },
      h("p", { class: "crumb" }, h("a", { href: "/labs" }, say("labs.title")), ` / ${say("lab.place", { number: lab.number, count })} · ${lab.title}`),
      h("h1", { tabindex: "-1" }, lab.question),
      h("p", { class: "lead" }, lab.teaches),
    ),
    toggle,
    copied,
    /** @param {boolean} projected */
    update(projected) {
      setText(toggle, say(projected ? "lab.projector_off" : "lab.projector"));
      setAttribute(toggle, "aria-pressed", String(projected));
    },
  };
}

/** Where an attempt can be taken to: a link, a file, a sheet of paper. */
function createHandIn() {
  const copied = h("span", { role: "status", class: "muted" });
  const element = h("div", { class: "row hand-in no-print" });
  /** @param {string} link */
  const copy = async (link) => {
    const address = new URL(link, location.href).href;
    try {
      await navigator.clipboard.writeText(address);
      setText(copied, say("lab.copied"));
    } catch {
      setText(copied, address);
    }
  };
  return {
    element,
    /** @param {Lab} lab @param {Attempt|null} attempt @param {Parameters} parameters */
    update(lab, attempt, parameters) {
      setText(copied, "");
      const link = permalinkOf(lab, parameters);
      setChildren(
        element,
        h("button", { type: "button", class: "small", onclick: () => void copy(link) }, say("lab.copy_link")),
        attempt &&
          isOver(attempt) && [
            h("a", { class: "button small", href: `/api/v1/attempts/${attempt.id}`, download: `lab-${lab.number}-attempt-${attempt.id}.json` }, say("lab.hand_in")),
            h("button", { type: "button", class: "small", onclick: () => window.print() }, say("lab.print")),
            h("a", { class: "button small", href: `/api/v1/attempts/${attempt.id}/trace`, download: `lab-${lab.number}-attempt-${attempt.id}.trace.json` }, say("lab.trace")),
          ],
        copied,
      );
    },
  };
}

/** What a sheet of paper has to say of itself. */
function createSheet() {
  const element = h("p", { class: "print-only" });
  return {
    element,
    /** @param {Attempt|null} attempt */
    update(attempt) {
      const parts = attempt && [
        say("lab.sheet", { id: attempt.id, uid: attempt.uid }),
        attempt.student,
        attempt.group,
        formatTime(attempt.created_ms),
        attempt.kernel,
        attempt.machine && `${say("claims.machine")} ${attempt.machine.comparable}`,
      ];
      setText(element, (parts ?? []).filter(Boolean).join(" · "));
    },
  };
}

/** How the run stands, in one line for everybody and aloud. */
function createStatus() {
  const chip = h("span", { class: "chip" });
  const text = h("span", {});
  const element = h("p", { class: "lab-status", role: "status" }, chip, text);
  return {
    element,
    /** @param {Attempt|null} attempt */
    update(attempt) {
      const state = /** @type {string} */ (attempt?.state ?? "none");
      const tone = /** @type {Record<string, string>} */ ({ running: "active", queued: "warn", done: "good", failed: "bad", cancelled: "warn" })[state] ?? "";
      chip.hidden = !attempt;
      setText(chip, attempt ? say(`attempt_state.${state}`) : "");
      setAttribute(chip, "class", `chip ${tone}`);
      const waiting = attempt?.state === "queued" ? waitingText(attempt.waiting_for) : "";
      setText(text, waiting || say(`lab.status.${state}`, { id: attempt?.id ?? "" }));
    },
  };
}

/**
 * The lab once it is known: the parts wired to each other.
 * @param {import("../js/router.js").ViewContext} context
 * @param {Lab} lab
 */
function createLab({ root, signal, query, store }, lab) {
  let asked = query;
  let parameters = parametersOf(lab, query);
  let in_bounds = true;
  /** @type {Attempt|null} */
  let attempt = null;
  let busy = false;
  let following = new AbortController();
  let frame = 0;
  /** @type {Attempt[]} */
  let attempts = [];
  let older = false;
  /** @type {import("../js/types.js").Predictions|null} */
  let everybody = null;
  const live = createLive();

  const head = createHead(lab, 16);
  const hand_in = createHandIn();
  const sheet = createSheet();
  const student = createStudent(() => void loadAttempts());
  const setup = createSetup(lab, {
    onchange: (now) => {
      in_bounds = now !== null;
      if (now) changeParameters(now);
      else render();
    },
    ondefaults: () => {
      in_bounds = true;
      changeParameters(defaultsOf(lab));
    },
  });
  const predict = createPredict(lab, { onrun: (prediction) => void run(prediction), onagain: () => leaveAttempt() });
  // One key after the other, as they were pressed.
  let typed = Promise.resolve();
  const observe = createObserve(signal, (terminal, input) => {
    const id = attempt?.id;
    if (id) typed = typed.then(() => postInput(id, { terminal, ...input })).catch(fail);
  });
  const explain = createExplain();
  const history = createAttempts();
  const program = createProgram(() => getLabSource(lab.name, signal));
  const status = createStatus();
  const trouble = h("p", { class: "callout bad", role: "alert", hidden: true });
  const again = h("button", { type: "button", class: "primary", onclick: () => void run(attempt?.prediction ?? null) }, say("lab.again"));
  const stop = h(
    "button",
    { type: "button", onclick: () => attempt && cancelAttempt(attempt.id).catch(fail) },
    say("lab.stop"),
  );
  const before = h("div", { class: "lab-before" }, h("p", { class: "muted" }, say("lab.before")));
  const observed = h(
    "section",
    { class: "card lab-observe", "aria-labelledby": "lab-observe" },
    h("div", { class: "card-head observe-head" }, h("h2", { id: "lab-observe" }, say("observe.title")), status.element, h("div", { class: "row no-print" }, stop, again)),
    before,
    observe.element,
  );
  root.append(
    h("div", { class: "view-head" }, h("div", { class: "grow" }, head.element), h("div", { class: "lab-tools" }, student.element, h("div", { class: "row" }, head.toggle, hand_in.element))),
    sheet.element,
    trouble,
    h(
      "div",
      { class: "lab-grid" },
      h("div", { class: "card lab-ask" }, setup.element, predict.element),
      h("div", { class: "lab-seen" }, observed, observe.panels, program.element),
      explain.element,
    ),
    history.element,
  );
  signal.addEventListener("abort", () => {
    following.abort();
    window.cancelAnimationFrame(frame);
    delete document.documentElement.dataset.projector;
  });

  /** @param {unknown} error */
  function fail(error) {
    if (signal.aborted) return;
    if (error instanceof Problem && error.errors.length > 0) setup.refuse(error.errors);
    setText(trouble, problemText(error));
    trouble.hidden = false;
  }

  /** @param {Parameters} now */
  function changeParameters(now) {
    if (sameParameters(lab, now, parameters)) return render();
    parameters = now;
    following.abort();
    attempt = null;
    predict.clear();
    observe.reset();
    live.reset();
    navigate(permalinkOf(lab, parameters, asked.has("projector") ? { projector: "1" } : {}), { replace: true });
    return render();
  }

  function leaveAttempt() {
    following.abort();
    attempt = null;
    predict.clear();
    observe.reset();
    live.reset();
    navigateQuery({ attempt: null });
    render();
  }

  /** @param {Attempt["prediction"]} prediction */
  async function run(prediction) {
    if (busy) return;
    busy = true;
    trouble.hidden = true;
    render();
    try {
      const started = await postAttempt(lab.name, { parameters, prediction, ...student.who() });
      if (signal.aborted) return;
      observe.reset();
      live.reset();
      follow(started);
      navigate(permalinkOf(lab, parameters, { attempt: String(started.id), ...(asked.has("projector") ? { projector: "1" } : {}) }));
    } catch (error) {
      fail(error);
    } finally {
      busy = false;
      render();
    }
  }

  /** @param {Attempt} started */
  function follow(started) {
    following.abort();
    following = new AbortController();
    const mine = following.signal;
    attempt = started;
    const read = () => {
      getAttempt(started.id, mine).then(
        (now) => !mine.aborted && take(now),
        (error) => !mine.aborted && fail(error),
      );
    };
    /** @param {Attempt} now */
    function take(now) {
      attempt = { ...started, ...attempt, ...now };
      if (!isOver(now)) {
        live.takeAttempt(now);
        return;
      }
      following.abort();
      live.reset();
      live.takeAttempt(now);
      attempt = now;
      void loadAttempts();
      render();
    }
    followTopics(
      `attempt:${started.id}`,
      {
        line: (line) => live.take(line),
        attempt: (now) => {
          if (isOver(now)) read();
          else attempt = { ...started, ...attempt, ...now };
        },
      },
      read,
      mine,
    );
    draw();
  }

  /** Draws once a frame while an attempt goes on. */
  function draw() {
    window.cancelAnimationFrame(frame);
    render();
    if (attempt && !isOver(attempt) && !signal.aborted) frame = window.requestAnimationFrame(draw);
  }

  /** @param {number} id */
  async function show(id) {
    try {
      const read = await getAttempt(id, signal);
      if (read.lab !== lab.name || asked.get("attempt") !== String(id)) return;
      trouble.hidden = true;
      parameters = read.parameters;
      observe.reset();
      live.reset();
      if (isOver(read)) {
        following.abort();
        attempt = read;
        live.takeAttempt(read);
        render();
      } else follow(read);
    } catch (error) {
      fail(error);
    }
  }

  async function loadAttempts() {
    const { group } = student.who();
    try {
      const [list, counts] = await Promise.all([
        getAttempts(lab.name, { limit: attempts_listed, group }, signal),
        getPredictions(lab.name, group, signal),
      ]);
      attempts = list.attempts;
      older = list.next_cursor !== null;
      everybody = counts;
      renderHistory();
    } catch (error) {
      fail(error);
    }
  }

  function renderHistory() {
    history.update({ lab, attempts, more: older, current: isOver(attempt) ? attempt : null, everybody, group: student.who().group });
  }

  let answered = -1;
  function render() {
    const projected = asked.has("projector");
    document.documentElement.toggleAttribute("data-projector", projected);
    const over = isOver(attempt);
    const running = busy || (attempt !== null && !over);
    const legend = legendOf(store.getState().mechanisms);
    head.update(projected);
    setup.update(parameters, running);
    predict.update(over ? "locked" : running ? "busy" : "open", attempt?.prediction ?? null, in_bounds);
    status.update(attempt);
    before.hidden = attempt !== null;
    observe.element.hidden = attempt === null;
    again.hidden = !over;
    stop.hidden = attempt === null || over;
    observe.update({
      timeline: live.timeline(),
      live: attempt !== null && !over,
      now_ns: over ? live.timeline().end_ns : live.now_ns(),
      panels: lab.panels,
      legend,
      look: legend.lookOf(lab.mechanisms[0] ?? ""),
    });
    const answer = over ? (attempt?.id ?? -1) : -1;
    if (answer !== answered) {
      explain.update(lab, over ? attempt : null);
      sheet.update(attempt);
      hand_in.update(lab, attempt, parameters);
      renderHistory();
    } else if (!over) hand_in.update(lab, attempt, parameters);
    answered = answer;
  }

  store.watch((state) => [state.mechanisms], render, signal);
  window.addEventListener("beforeprint", () => explain.unfold(), { signal });
  setTitle(`${lab.number} · ${lab.title}`);
  void loadAttempts();
  follow_query(query);

  /** @param {URLSearchParams} now */
  function follow_query(now) {
    asked = now;
    const id = Number(now.get("attempt"));
    if (id > 0 && attempt?.id !== id) void show(id);
    else if (!(id > 0) && attempt !== null) {
      following.abort();
      attempt = null;
      live.reset();
      observe.reset();
    }
    if (!(id > 0)) parameters = parametersOf(lab, now);
    render();
  }
  return { query: follow_query };
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
      const [description] = await Promise.all([getLab(name, signal), loadMessages(), loadCatalogue(store)]);
      if (signal.aborted || lab) return;
      setChildren(root);
      lab = createLab({ ...context, query: asked }, description);
    } catch (error) {
      if (!signal.aborted) setText(status, problemText(error));
    }
  }

  store.watch(
    (state) => [state.resync],
    (resync) => void (resync > 0 && !lab && load()),
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
