/** One run: everything that was measured, how, and on what. */

import { deleteRun, loadCatalogue, loadRun, problemText, restoreRun, saveRun, startRun, stopRun, tellProblem } from "../js/actions.js";
import { Problem, newKey } from "../js/api.js";
import { h, setChildren, setText } from "../js/dom.js";
import { formatBytes } from "../js/format.js";
import { looksOf } from "../js/mechanisms.js";
import { navigate, navigateQuery, setTitle } from "../js/router.js";
import { shellCommand } from "../js/experiment.js";
import { isOver, patternText } from "../js/words.js";
import { createCaseTable } from "../components/case-table/case-table.js";
import { createFacts } from "../components/facts/facts.js";
import { createMethod } from "../components/method/method.js";
import { createPercentiles } from "../components/percentiles/percentiles.js";
import { createProgress } from "../components/progress/progress.js";
import { createRunHead } from "../components/run-head/run-head.js";
import { createThroughput } from "../components/throughput/throughput.js";
import { createTrials } from "../components/trials/trials.js";

/**
 * @typedef {import("../js/types.js").Run} Run
 * @typedef {import("../js/types.js").Case} Case
 * @typedef {import("../js/types.js").Pattern} Pattern
 */

/** @type {Pattern[]} */
const patterns = ["round_trip", "stream", "paced"];

/** @param {Run} run */
const experimentOf = ({ experiment }) => Object.fromEntries(Object.entries(experiment).filter(([, value]) => value !== null && value !== ""));

/**
 * The run keeps the machine's fingerprint; the facts behind it are known if it is the one the server runs on.
 * @param {Run} run
 * @param {import("../js/types.js").Machine|null} here
 */
function createMachine({ machine }, here) {
  const same = machine !== null && machine.full === here?.full;
  const facts = machine?.facts ?? (same ? here?.facts : undefined) ?? {};
  const relation = !machine ? "known when the run starts" : same ? "this machine, unchanged" : machine.comparable === here?.comparable ? "this machine, or one that compares with it" : "another machine, or this one in another state";
  return h(
    "section",
    { class: "card" },
    h("div", { class: "card-head" }, h("h2", {}, "Machine"), h("small", { class: "muted" }, relation)),
    createFacts("Machine", { ...(machine && { comparable: machine.comparable, full: machine.full }), ...facts }),
  );
}

/**
 * @param {Run} run
 * @param {import("../js/types.js").Machine|null} here
 */
function createContext(run, here) {
  return [
    createMachine(run, here),
    h(
      "div",
      { class: "view" },
      h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, "Isolation"), h("small", { class: "muted" }, "what stood between the workers and the rest")), createFacts("Isolation", run.isolation ?? {})),
      h(
        "section",
        { class: "card stack" },
        h("h2", {}, "Experiment"),
        createFacts("Experiment", Object.fromEntries(Object.entries(experimentOf(run)).filter(([name]) => !["name", "note", "tags"].includes(name)))),
        h("details", {}, h("summary", {}, "Run this from a shell"), h("pre", { class: "code", tabindex: "0", "aria-label": "Shell command" }, shellCommand(experimentOf(run), location.origin))),
      ),
    ),
  ];
}

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountRun({ root, signal, parameters, query, store }) {
  const id = Number(parameters[0]);
  let asked = query;
  let seen = false;

  const head = createRunHead({
    onsave: (run, changes) => saveRun(store, run, changes),
    onrepeat: (run) => void startRun(store, experimentOf(run), newKey()).then((next) => navigate(`/runs/${next.id}`), (error) => tellProblem(store, error)),
    ondelete: (run) => void deleteRun(store, run.id).then(() => navigate("/runs"), (error) => tellProblem(store, error)),
    onpin: (run) => void saveRun(store, run, { pinned: !run.pinned }).catch((error) => tellProblem(store, error)),
  });
  const progress = createProgress({ link: false, onstop: (run) => void stopRun(store, run.id) });
  const skipped = h("p", { class: "card muted", hidden: true });
  const sizes = h("div", { class: "filters" });
  const percentiles = createPercentiles(signal);
  const throughput = createThroughput(signal);
  const tables = new Map(patterns.map((pattern) => [pattern, createCaseTable(pattern, (sort) => navigateQuery({ sort }))]));
  const trials = createTrials();
  const context = h("div", { class: "columns" });
  const body = h(
    "div",
    { class: "view", hidden: true },
    head.element,
    progress.element,
    skipped,
    sizes,
    h("div", { class: "columns charts" }, percentiles.element, throughput.element),
    [...tables.values()].map((table) => table.element),
    createMethod(),
    trials.element,
    context,
  );
  const status = h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, `Run ${id}`), h("p", { class: "muted", role: "status" }, "Reading the archive…"));
  root.append(h("p", { class: "crumb" }, h("a", { href: "/runs" }, "Runs"), ` / ${id}`), status, body);

  /** @param {string} text @param {boolean} restorable */
  function showAbsent(text, restorable) {
    body.hidden = true;
    status.hidden = false;
    setChildren(
      status,
      h("h1", { tabindex: "-1" }, `Run ${id}`),
      h("p", { role: "status" }, text),
      restorable && h("button", { type: "button", onclick: () => void restoreRun(store, id) }, "Restore"),
    );
  }

  store.watch((state) => [state.resync], (resync) => {
    if (resync === 0) return;
    Promise.all([loadCatalogue(store), loadRun(store, id, signal)]).catch((error) => {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status === 404) showAbsent(problemText(error), /deleted/.test(error.detail));
      else if (store.getState().runs.has(id)) tellProblem(store, error);
      else showAbsent(problemText(error), false);
    });
  }, signal);

  let context_of = "";
  store.watch((state) => [state.runs.get(id), state.mechanisms, state.machine], (run, mechanisms, machine) => {
    if (!run || run.deleted) {
      if (seen || run?.deleted) showAbsent("This run was deleted.", true);
      return;
    }
    seen = true;
    status.hidden = true;
    body.hidden = false;
    setTitle(run.name || `Run ${id}`);
    head.update(run);
    progress.element.hidden = isOver(run.state) && !run.message;
    const titles = new Map(mechanisms.map((one) => [one.name, one.title]));
    progress.update({ run, waiting: 0, titleOf: (name) => titles.get(name) ?? name });
    skipped.hidden = !run.skipped?.length;
    setText(skipped, `Left out, because it is not available here: ${(run.skipped ?? []).map((one) => `${titles.get(one.mechanism) ?? one.mechanism} (${one.reason})`).join("; ")}`);
    const now = JSON.stringify([run.machine, machine?.full, run.isolation, run.experiment]);
    if (now !== context_of) setChildren(context, createContext(run, machine));
    context_of = now;
  }, signal);

  /** @param {readonly Case[]} cases  @returns {{pattern: Pattern, bytes: number}|null} */
  function latencyChoice(cases) {
    const choices = latencyChoices(cases);
    const wanted = asked.get("latency");
    return choices.find(({ pattern, bytes }) => `${pattern}:${bytes}` === wanted) ?? choices[0] ?? null;
  }

  /** @param {readonly Case[]} cases */
  function latencyChoices(cases) {
    const texts = new Set(cases.filter((one) => one.latency_ns?.p50).map((one) => `${one.pattern}:${one.message_bytes}`));
    return [...texts].map((text) => ({ pattern: /** @type {Pattern} */ (text.split(":")[0]), bytes: Number(text.split(":")[1]) }));
  }

  let sizes_shown = "";
  /** @param {readonly Case[]} cases @param {{pattern: Pattern, bytes: number}|null} choice */
  function showSizes(cases, choice) {
    const choices = latencyChoices(cases);
    const now = JSON.stringify([choices, choice]);
    if (now === sizes_shown || sizes.contains(document.activeElement)) return;
    sizes_shown = now;
    setChildren(
      sizes,
      choices.length > 1 &&
        h(
          "label",
          {},
          h("span", {}, "Latency of"),
          h(
            "select",
            { name: "latency", onchange: (/** @type {Event} */ event) => navigateQuery({ latency: /** @type {HTMLSelectElement} */ (event.target).value }) },
            choices.map(({ pattern, bytes }) => h("option", { value: `${pattern}:${bytes}`, selected: pattern === choice?.pattern && bytes === choice.bytes }, `${formatBytes(bytes)} ${patternText(pattern)}`)),
          ),
        ),
    );
    sizes.hidden = choices.length < 2;
  }

  let scrolled = false;
  function render() {
    const { results, mechanisms, trials: all_trials, runs } = store.getState();
    const cases = results.get(id) ?? [];
    const looks = looksOf(mechanisms);
    const titles = new Map(mechanisms.map((one) => [one.name, one.title]));
    /** @param {string} name */
    const titleOf = (name) => titles.get(name) ?? name;
    const target = location.hash.slice(1);
    const choice = latencyChoice(cases);
    showSizes(cases, choice);
    percentiles.element.hidden = !choice;
    if (choice) {
      percentiles.update(cases.filter((one) => one.pattern === choice.pattern && one.message_bytes === choice.bytes), `${formatBytes(choice.bytes)} ${patternText(choice.pattern)}`, titleOf, looks);
    }
    const streams = cases.filter((one) => one.pattern === "stream");
    throughput.element.hidden = !streams.some((one) => one.bytes_per_s);
    if (!throughput.element.hidden) throughput.update(streams, titleOf, looks);
    for (const [pattern, table] of tables) {
      const own = cases.filter((one) => one.pattern === pattern);
      table.element.hidden = own.length === 0;
      if (own.length > 0) table.update(own, asked.get("sort") ?? "", target, titleOf, looks);
    }
    trials.update(cases, all_trials.get(id) ?? [], runs.get(id)?.trials_total ?? 1, titleOf, looks);
    if (!scrolled && target && !body.hidden) {
      const row = document.getElementById(target);
      row?.scrollIntoView({ block: "center" });
      scrolled = row !== null;
    }
  }
  store.watch((state) => [state.results.get(id), state.trials.get(id), state.mechanisms, state.runs.has(id)], render, signal);
  window.addEventListener("hashchange", render, { signal });

  return {
    title: `Run ${id}`,
    query: (now) => {
      asked = now;
      render();
    },
  };
}
