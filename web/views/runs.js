/** The archive: runs from the newest, page by page, the filters in the address. */

import { problemText } from "../js/actions.js";
import { getRuns } from "../js/api.js";
import { h, setAttribute, setChildren, setText, syncChildren } from "../js/dom.js";
import { formatSpan, formatTime } from "../js/format.js";
import { navigateQuery } from "../js/router.js";
import { stateText, stateTone } from "../js/words.js";

/** @typedef {import("../js/types.js").Run} Run */

const page_runs = 50;
const typing_ms = 250;
const states = ["queued", "running", "done", "failed", "cancelled", "interrupted"];

/** @param {Run} run @param {import("../js/types.js").Machine|null} machine */
function machineText(run, machine) {
  if (!run.machine?.comparable) return "–";
  return run.machine.comparable === machine?.comparable ? "this one" : run.machine.comparable.slice(0, 8);
}

/** @param {Run} run */
function timeText(run) {
  const from = run.started_ms ?? run.created_ms;
  const took = run.started_ms !== null && run.finished_ms !== null ? `, ${formatSpan(run.finished_ms - run.started_ms)}` : "";
  return formatTime(from) + took;
}

/** @param {() => import("../js/types.js").Machine|null} machine */
function createRunRow(machine) {
  const name = h("a", {});
  const tags = h("span", { class: "row-tags" });
  const state = h("span", { class: "chip" });
  const started = h("td", { class: "nowrap" });
  const trials = h("td", { class: "number" });
  const where = h("td", { class: "nowrap" });
  const number = h("td", { class: "number muted" });
  return {
    element: h("tr", {}, number, h("th", { scope: "row" }, name, tags), h("td", {}, state), started, trials, where),
    /** @param {Run} run */
    update(run) {
      setText(number, String(run.id));
      setText(name, run.name || `Run ${run.id}`);
      setAttribute(name, "href", `/runs/${run.id}`);
      setChildren(tags, run.pinned && h("span", { class: "chip" }, "pinned"), run.tags.map((tag) => h("span", { class: "chip" }, tag)));
      setText(state, stateText(run.state));
      setAttribute(state, "class", `chip ${stateTone(run.state)}`);
      setText(started, timeText(run));
      setText(trials, `${run.trials_done} / ${run.trials_total}${run.trials_failed ? `, ${run.trials_failed} failed` : ""}`);
      setText(where, machineText(run, machine()));
    },
  };
}

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountRuns({ root, signal, query, store }) {
  let asked = query;
  /** @type {number[]} */
  let shown = [];
  /** @type {string|null} */
  let next = null;
  let turn = 0;
  let loaded = false;
  let asked_for = 0;

  const state = h("select", { name: "state", onchange: () => navigateQuery({ state: state.value }) }, h("option", { value: "" }, "any"), states.map((one) => h("option", { value: one }, stateText(one))));
  const mechanism = h("select", { name: "mechanism", onchange: () => navigateQuery({ mechanism: mechanism.value }) });
  const search = h("input", { type: "search", name: "q", placeholder: "name, note or tag", oninput: () => searchLater() });
  const rows = h("tbody");
  const table = h(
    "div",
    { class: "card flush scroll-x", role: "region", "aria-label": "Runs", tabindex: "0" },
    h(
      "table",
      { class: "data-table runs" },
      h("thead", {}, h("tr", {}, h("th", { class: "number", scope: "col" }, "Run"), h("th", { scope: "col" }, "Name"), h("th", { scope: "col" }, "State"), h("th", { scope: "col" }, "Started"), h("th", { class: "number", scope: "col" }, "Trials"), h("th", { scope: "col" }, "Machine"))),
      rows,
    ),
  );
  const status = h("p", { role: "status" });
  const more = h("button", { type: "button", hidden: true, onclick: () => void load(next) }, "Show older runs");
  root.append(
    h(
      "div",
      { class: "view-head" },
      h("div", { class: "grow" }, h("h1", { tabindex: "-1" }, "Runs"), h("p", { class: "lead" }, "Every experiment that was taken, with the machine it was taken on.")),
      h("div", { class: "filters", role: "search" }, h("label", {}, h("span", {}, "State"), state), h("label", {}, h("span", {}, "Mechanism"), mechanism), h("label", {}, h("span", {}, "Search"), search)),
    ),
    table,
    status,
    more,
  );

  let timer = 0;
  function searchLater() {
    clearTimeout(timer);
    timer = window.setTimeout(() => navigateQuery({ q: search.value.trim() }), typing_ms);
  }
  signal.addEventListener("abort", () => clearTimeout(timer));

  /** @param {string|null} cursor  null: from the newest */
  async function load(cursor) {
    const mine = ++turn;
    try {
      const filters = { state: asked.get("state"), mechanism: asked.get("mechanism"), q: asked.get("q") };
      const page = await getRuns({ ...filters, limit: page_runs, cursor }, signal);
      if (mine !== turn) return;
      store.dispatch({ type: "runs", runs: page.runs });
      const ids = page.runs.map((run) => run.id);
      shown = cursor ? [...shown, ...ids] : ids;
      next = page.next_cursor;
      loaded = true;
      more.hidden = !next;
      render();
    } catch (error) {
      if (!signal.aborted) setText(status, problemText(error));
    }
  }

  function render() {
    const { runs } = store.getState();
    const list = shown.map((id) => runs.get(id)).filter((run) => run !== undefined && !run.deleted);
    syncChildren(rows, /** @type {Run[]} */ (list), (run) => String(run.id), () => createRunRow(() => store.getState().machine));
    table.hidden = list.length === 0;
    const filtered = asked.get("state") || asked.get("mechanism") || asked.get("q");
    setText(status, list.length > 0 || !loaded ? "" : filtered ? "No run matches." : "No run has been taken yet.");
  }

  function showFilters() {
    const { mechanisms } = store.getState();
    setChildren(mechanism, h("option", { value: "" }, "any"), mechanisms.map((one) => h("option", { value: one.name }, one.title)));
    state.value = asked.get("state") ?? "";
    mechanism.value = asked.get("mechanism") ?? "";
    if (document.activeElement !== search) search.value = asked.get("q") ?? "";
  }

  store.watch((one) => [one.mechanisms], showFilters, signal);
  store.watch((one) => [one.resync], (resync) => {
    if (resync > 0) void load(null);
  }, signal);
  store.watch((one) => [one.runs, one.machine], () => {
    const newest = Math.max(0, ...store.getState().runs.keys());
    if (loaded && newest > Math.max(asked_for, ...shown)) {
      // Asked for once: the server knows whether the filters let it through.
      asked_for = newest;
      void load(null);
    }
    render();
  }, signal);

  return {
    title: "Runs",
    query: (now) => {
      asked = now;
      showFilters();
      void load(null);
    },
  };
}
