/** The archive: runs page by page, searched, sorted, edited, compared; what is asked for is in the address. */

import { deleteRun, problemText, saveRun, tellProblem } from "../js/actions.js";
import { getRuns } from "../js/api.js";
import { filtersOf, isFiltered, selected_max, selectionOf, sorts, withSelected } from "../js/archive.js";
import { h, setAttribute, setText, syncChildren } from "../js/dom.js";
import { navigateQuery } from "../js/router.js";
import { archiveAddress, askArchive } from "../components/archive/ask.js";
import { createArchiveFilters } from "../components/archive/filters.js";
import { createImport } from "../components/archive/import.js";
import { createRunRow } from "../components/archive/row.js";
import { createSelection } from "../components/archive/selection.js";

/**
 * @typedef {import("../js/types.js").Run} Run
 * @typedef {import("../js/store.js").Store} Store
 * @typedef {import("../js/store.js").State} State
 */

const page_runs = 50;

/** What a reader calls a machine. @param {State} state @param {string} comparable */
function machineText({ machine, machines }, comparable) {
  if (comparable === machine?.comparable) return "this one";
  const known = [...machines.values()].find((one) => one.comparable === comparable);
  return [known?.host, comparable.slice(0, 8)].filter(Boolean).join(" ");
}

/**
 * A head that sorts.
 * @param {string} text
 * @param {string} kind
 * @param {string[]} orders  one, or first and second
 */
function createSortHead(text, kind, orders) {
  const arrow = h("span", { "aria-hidden": "true" });
  let next = orders[0];
  const button = h(
    "button",
    { type: "button", class: "sort", onclick: () => askArchive({ sort: next === sorts[0] ? null : next }) },
    text,
    arrow,
  );
  const element = h("th", { scope: "col", class: kind }, button);
  return {
    element,
    /** @param {string} sort */
    update(sort) {
      const at = orders.indexOf(sort);
      next = orders[(at + 1) % orders.length];
      const descending = sort.startsWith("-");
      setAttribute(element, "aria-sort", at < 0 ? null : descending ? "descending" : "ascending");
      setText(arrow, at < 0 ? "" : descending ? " ↓" : " ↑");
    },
  };
}

/** @param {HTMLTableSectionElement} rows */
function createRunTable(rows) {
  const number = createSortHead("Run", "number", ["-id", "id"]);
  const name = createSortHead("Name, tags and note", "", ["name"]);
  const heads = [
    h("th", { scope: "col", class: "archive-tick" }, h("span", { class: "visually-hidden" }, "Selected")),
    number.element,
    name.element,
    ...["State", "Started"].map((text) => h("th", { scope: "col" }, text)),
    h("th", { scope: "col", class: "number" }, "Trials"),
    h("th", { scope: "col" }, "Machine"),
    h("th", { scope: "col", class: "no-print" }, h("span", { class: "visually-hidden" }, "Actions")),
  ];
  return {
    element: h(
      "div",
      { class: "card flush scroll-x", role: "region", "aria-label": "Runs", tabindex: "0" },
      h("table", { class: "data-table runs" }, h("thead", {}, h("tr", {}, heads)), rows),
    ),
    /** @param {string} sort */
    update(sort) {
      number.update(sort);
      name.update(sort);
    },
  };
}

/**
 * The page of the list that the address names. How many runs there are does not matter to it.
 * @param {Store} store
 * @param {AbortSignal} signal
 */
function createPage(store, signal) {
  let turn = 0;
  return {
    /** @type {number[]} */
    ids: [],
    /** @type {string|null} */
    next: null,
    read: false,
    /** @param {URLSearchParams} asked @returns {Promise<boolean>}  false: overtaken by a later call */
    async load(asked) {
      const mine = ++turn;
      const page = await getRuns({ ...filtersOf(asked), limit: page_runs, cursor: asked.get("cursor") }, signal);
      if (mine !== turn) return false;
      store.dispatch({ type: "runs", runs: page.runs });
      this.ids = page.runs.map((run) => run.id);
      this.next = page.next_cursor;
      this.read = true;
      return true;
    },
  };
}

/**
 * From page to page. A page has no name for the one before it: those that were turned here are remembered, any other
 * goes back to the first.
 */
function createPager() {
  /** @type {Map<string, string|null>} */
  const before = new Map();
  const first = h("a", { class: "button small" }, "First page");
  const previous = h("a", { class: "button small" }, "Previous");
  const next = h("a", { class: "button small" }, "Next page");
  const element = h("nav", { class: "row no-print", "aria-label": "Pages of runs" }, first, previous, next);
  return {
    element,
    /** @param {string|null} cursor @param {string|null} following */
    update(cursor, following) {
      if (following !== null) before.set(following, cursor);
      const last = cursor === null ? undefined : before.get(cursor);
      first.hidden = cursor === null;
      first.href = archiveAddress({});
      previous.hidden = last === undefined || last === null;
      previous.href = archiveAddress({ cursor: last ?? null });
      next.hidden = following === null;
      next.href = archiveAddress({ cursor: following });
      element.hidden = first.hidden && next.hidden;
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
  const page = createPage(store, signal);
  const filters = createArchiveFilters(signal);
  const rows = h("tbody");
  const table = createRunTable(rows);
  const status = h("p", { role: "status" });
  const pager = createPager();
  const selection = createSelection();
  const imports = createImport({
    signal,
    onimport: (run) => {
      store.dispatch({ type: "runs", runs: [run] });
      void load();
    },
  });
  root.append(
    h(
      "div",
      { class: "view-head" },
      h(
        "div",
        { class: "grow" },
        h("h1", { tabindex: "-1" }, "Runs"),
        h(
          "p",
          { class: "lead" },
          "Every experiment that was taken, with the machine it was taken on. Tick two or more to compare them.",
        ),
      ),
      h("div", { class: "row no-print" }, h("a", { class: "button", href: "/trends" }, "Trends"), imports.button),
    ),
    imports.list,
    filters.element,
    table.element,
    status,
    pager.element,
    selection.element,
    imports.target,
  );

  /** @param {unknown} error */
  const fail = (error) => tellProblem(store, error);
  /** @type {import("../components/archive/row.js").Actions} */
  const actions = {
    onselect: (run, on) => navigateQuery({ selected: withSelected(selectionOf(asked), run.id, on) }),
    onsave: (run, changes) => saveRun(store, run, changes),
    onpin: (run) => void saveRun(store, run, { pinned: !run.pinned }).catch(fail),
    ondelete: (run) =>
      void deleteRun(store, run.id).then(
        () => navigateQuery({ selected: withSelected(selectionOf(asked), run.id, false) }),
        fail,
      ),
  };

  async function load() {
    try {
      if (!(await page.load(asked))) return;
      // A run may have been heard of while the list was on its way.
      renderAndLookForNewer();
    } catch (error) {
      if (!signal.aborted) setText(status, problemText(error));
    }
  }

  /** A page that was turned is read from its head. */
  function showTop() {
    table.element.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  function render() {
    const state = store.getState();
    const selected = selectionOf(asked);
    const list = page.ids.flatMap((id) => state.runs.get(id) ?? []).filter((run) => !run.deleted);
    const full = selected.length >= selected_max;
    syncChildren(
      rows,
      list.map((run) => ({
        run,
        selected: selected.indexOf(run.id) + 1,
        full,
        machine: run.machine?.comparable ? machineText(state, run.machine.comparable) : "",
      })),
      ({ run }) => String(run.id),
      (item) => createRunRow(item, actions),
    );
    table.element.hidden = list.length === 0;
    table.update(asked.get("sort") ?? sorts[0]);
    pager.update(asked.get("cursor"), page.next);
    const empty = page.read && list.length === 0;
    setText(status, !empty ? "" : isFiltered(asked) ? "No run matches." : "No run has been taken yet.");
    selection.update(selected);
  }

  function renderAndLookForNewer() {
    render();
    renderFilters();
    const newest = Math.max(0, ...store.getState().runs.keys());
    if (!page.read || asked.has("cursor") || newest <= Math.max(newest_asked_for, ...page.ids)) return;
    // Asked for once: the server knows whether the filters let it through.
    newest_asked_for = newest;
    void load();
  }

  function renderFilters() {
    const state = store.getState();
    const runs = [...state.runs.values()];
    const hashes = [...new Set(runs.flatMap(({ machine }) => machine?.comparable ?? []))];
    filters.update(asked, {
      mechanisms: state.mechanisms,
      machines: hashes.map((hash) => ({ hash, text: machineText(state, hash) })),
      tags: [...new Set(runs.flatMap(({ tags }) => tags))].sort(),
    });
  }

  store.watch((state) => [state.mechanisms, state.machines], renderFilters, signal);
  store.watch(
    (state) => [state.resync],
    (resync) => void (resync > 0 && load()),
    signal,
  );
  store.watch((state) => [state.runs, state.machine], renderAndLookForNewer, signal);

  return {
    title: "Runs",
    query: (now) => {
      /** @param {URLSearchParams} one */
      const question = (one) => JSON.stringify([filtersOf(one), one.get("cursor")]);
      const same = question(now) === question(asked);
      const turned = now.get("cursor") !== asked.get("cursor");
      asked = now;
      renderFilters();
      if (same) render();
      else void load().then(() => turned && showTop());
    },
  };
}
