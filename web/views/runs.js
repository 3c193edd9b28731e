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
  const took =
    run.started_ms !== null && run.finished_ms !== null ? `, ${formatSpan(run.finished_ms - run.started_ms)}` : "";
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
      setChildren(
        tags,
        run.pinned && h("span", { class: "chip" }, "pinned"),
        run.tags.map((tag) => h("span", { class: "chip" }, tag)),
      );
      setText(state, stateText(run.state));
      setAttribute(state, "class", `chip ${stateTone(run.state)}`);
      setText(started, timeText(run));
      setText(
        trials,
        `${run.trials_done} / ${run.trials_total}${run.trials_failed ? `, ${run.trials_failed} failed` : ""}`,
      );
      setText(where, machineText(run, machine()));
    },
  };
}

/**
 * What the address asks for, as controls. The search waits until the reader pauses.
 * @param {AbortSignal} signal
 */
function createRunFilters(signal) {
  /** @param {"state"|"mechanism"} name */
  const select = (name) => {
    const element = h("select", { name, onchange: () => navigateQuery({ [name]: element.value }) });
    return element;
  };
  let timer = 0;
  const state = select("state");
  const mechanism = select("mechanism");
  const search = h("input", {
    type: "search",
    name: "q",
    placeholder: "name, note or tag",
    oninput: () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => navigateQuery({ q: search.value.trim() }), typing_ms);
    },
  });
  signal.addEventListener("abort", () => clearTimeout(timer));
  setChildren(
    state,
    h("option", { value: "" }, "any"),
    states.map((one) => h("option", { value: one }, stateText(one))),
  );
  return {
    element: h(
      "div",
      { class: "filters", role: "search" },
      h("label", {}, h("span", {}, "State"), state),
      h("label", {}, h("span", {}, "Mechanism"), mechanism),
      h("label", {}, h("span", {}, "Search"), search),
    ),
    /** @param {URLSearchParams} asked @param {readonly import("../js/types.js").Mechanism[]} mechanisms */
    update(asked, mechanisms) {
      setChildren(
        mechanism,
        h("option", { value: "" }, "any"),
        mechanisms.map((one) => h("option", { value: one.name }, one.title)),
      );
      state.value = asked.get("state") ?? "";
      mechanism.value = asked.get("mechanism") ?? "";
      if (document.activeElement !== search) search.value = asked.get("q") ?? "";
    },
  };
}

/** @param {HTMLTableSectionElement} rows */
function createRunTable(rows) {
  /** @type {[string, string][]} */
  const heads = [
    ["Run", "number"],
    ["Name", ""],
    ["State", ""],
    ["Started", ""],
    ["Trials", "number"],
    ["Machine", ""],
  ];
  return h(
    "div",
    { class: "card flush scroll-x", role: "region", "aria-label": "Runs", tabindex: "0" },
    h(
      "table",
      { class: "data-table runs" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map(([text, kind]) => h("th", { class: kind, scope: "col" }, text)),
        ),
      ),
      rows,
    ),
  );
}

/**
 * The pages of the list that were read so far.
 * @param {import("../js/store.js").Store} store
 * @param {AbortSignal} signal
 */
function createPages(store, signal) {
  let turn = 0;
  return {
    /** @type {number[]} */
    ids: [],
    /** @type {string|null} */
    next: null,
    read: false,
    /**
     * @param {URLSearchParams} asked
     * @param {string|null} cursor  null: from the newest
     * @returns {Promise<boolean>}  false: overtaken by a later call
     */
    async load(asked, cursor) {
      const mine = ++turn;
      const filters = Object.fromEntries(["state", "mechanism", "q"].map((name) => [name, asked.get(name)]));
      const page = await getRuns({ ...filters, limit: page_runs, cursor }, signal);
      if (mine !== turn) return false;
      store.dispatch({ type: "runs", runs: page.runs });
      this.ids = [...(cursor ? this.ids : []), ...page.runs.map((run) => run.id)];
      this.next = page.next_cursor;
      this.read = true;
      return true;
    },
  };
}

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountRuns({ root, signal, query, store }) {
  let asked = query;
  let newest_asked_for = 0;
  const pages = createPages(store, signal);
  const filters = createRunFilters(signal);
  const rows = h("tbody");
  const table = createRunTable(rows);
  const status = h("p", { role: "status" });
  const more = h("button", { type: "button", hidden: true, onclick: () => void load(pages.next) }, "Show older runs");
  root.append(
    h(
      "div",
      { class: "view-head" },
      h(
        "div",
        { class: "grow" },
        h("h1", { tabindex: "-1" }, "Runs"),
        h("p", { class: "lead" }, "Every experiment that was taken, with the machine it was taken on."),
      ),
      filters.element,
    ),
    table,
    status,
    more,
  );

  /** @param {string|null} cursor */
  async function load(cursor) {
    try {
      if (await pages.load(asked, cursor)) render();
    } catch (error) {
      if (!signal.aborted) setText(status, problemText(error));
    }
  }

  function render() {
    const { runs } = store.getState();
    const list = pages.ids.flatMap((id) => runs.get(id) ?? []).filter((run) => !run.deleted);
    syncChildren(
      rows,
      list,
      (run) => String(run.id),
      () => createRunRow(() => store.getState().machine),
    );
    table.hidden = list.length === 0;
    more.hidden = pages.next === null;
    const filtered = ["state", "mechanism", "q"].some((name) => asked.get(name));
    const empty = pages.read && list.length === 0;
    setText(status, !empty ? "" : filtered ? "No run matches." : "No run has been taken yet.");
  }

  function renderAndLookForNewer() {
    render();
    const newest = Math.max(0, ...store.getState().runs.keys());
    if (!pages.read || newest <= Math.max(newest_asked_for, ...pages.ids)) return;
    // Asked for once: the server knows whether the filters let it through.
    newest_asked_for = newest;
    void load(null);
  }

  const renderFilters = () => filters.update(asked, store.getState().mechanisms);
  store.watch((state) => [state.mechanisms], renderFilters, signal);
  store.watch(
    (state) => [state.resync],
    (resync) => void (resync > 0 && load(null)),
    signal,
  );
  store.watch((state) => [state.runs, state.machine], renderAndLookForNewer, signal);

  return {
    title: "Runs",
    query: (now) => {
      asked = now;
      renderFilters();
      void load(null);
    },
  };
}
