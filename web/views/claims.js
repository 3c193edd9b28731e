/** The ledger: every claim with the verdict of this kernel, by mechanism, filtered by the address. */

import { loadCatalogue, problemText, tellProblem } from "../js/actions.js";
import { getClaims, getLatestChecks, postCheck, postChecks } from "../js/api.js";
import { criteria, filterClaims, groupClaims, verdictOf } from "../js/criteria.js";
import { h, setAttribute, setChildren, setText, syncChildren } from "../js/dom.js";
import { followTopic } from "../js/events.js";
import { formatTime } from "../js/format.js";
import { empty_ledger, ledgerOf, withCheck } from "../js/ledger.js";
import { legendOf } from "../js/mechanisms.js";
import { loadMessages, say, sayCount, waitingText } from "../js/messages.js";
import { navigateQuery, setTitle } from "../js/router.js";
import { createVerdict, verdictWord, verdicts } from "../components/claims/verdict.js";
import { createFilter } from "../components/filters/filters.js";

/**
 * @typedef {import("../js/types.js").Claim} Claim
 * @typedef {import("../js/types.js").Check} Check
 * @typedef {{claim: Claim, other: Check|null|undefined, pending: Check|undefined}} Item  other: undefined if none is compared with
 */

const typing_ms = 250;

/** @param {(claim: Claim) => void} oncheck */
function createRow(oncheck) {
  /** @type {Item|null} */
  let shown = null;
  let drawn = "";
  const number = h("td", { class: "number muted" });
  const link = h("a", {});
  const verdict = h("td", {});
  const other = h("td", {});
  const when = h("td", { class: "nowrap muted" });
  const check = h("button", { type: "button", class: "small", onclick: () => shown && oncheck(shown.claim) });
  const element = h("tr", {}, number, h("th", { scope: "row" }, link), verdict, other, when, h("td", { class: "no-print" }, check));
  return {
    element,
    /** @param {Item} item */
    update(item) {
      const now = JSON.stringify([item.claim.latest?.id, item.claim.text, item.other, item.pending?.state]);
      shown = item;
      if (now === drawn) return;
      drawn = now;
      const { claim, pending } = item;
      const word = pending ? pending.state : verdictWord(claim.latest);
      setText(number, String(claim.number));
      setText(link, claim.text);
      setAttribute(link, "href", `/claims/${claim.number}`);
      setChildren(verdict, createVerdict(word));
      setChildren(other, item.other !== undefined && createVerdict(verdictWord(item.other)));
      const differs = item.other && claim.latest && item.other.verdict !== claim.latest.verdict;
      element.classList.toggle("differs", Boolean(differs));
      other.hidden = item.other === undefined;
      setText(when, claim.latest?.finished_ms ? formatTime(claim.latest.finished_ms) : "");
      setText(check, say("claims.check_short"));
      setAttribute(check, "aria-label", say("claims.check_one", { number: claim.number }));
      check.disabled = pending !== undefined;
    },
  };
}

/** @param {(claim: Claim) => void} oncheck */
function createGroup(oncheck) {
  const head = h("th", { scope: "rowgroup", colspan: 6 });
  const group = h("tr", { class: "family" }, head);
  const element = h("tbody", {});
  return {
    element,
    /** @param {{title: string, items: Item[]}} of */
    update({ title, items }) {
      setText(head, title);
      syncChildren(
        element,
        [null, ...items],
        (item) => (item ? String(item.claim.number) : "head"),
        (item) => (item ? /** @type {any} */ (createRow(oncheck)) : { element: group, update: () => {} }),
      );
    },
  };
}

/** How many claims have which verdict; each is a filter. */
function createCounts() {
  const element = h("ul", { class: "row claim-counts", "aria-label": "" });
  return {
    element,
    /** @param {readonly Claim[]} claims @param {string} chosen */
    update(claims, chosen) {
      const present = verdicts.filter((one) => claims.some((claim) => verdictOf(claim) === one));
      setAttribute(element, "aria-label", say("claims.counts"));
      setChildren(
        element,
        present.map((one) =>
          h(
            "li",
            {},
            h(
              "button",
              {
                type: "button",
                class: "small count",
                "aria-pressed": String(one === chosen),
                onclick: () => navigateQuery({ verdict: one === chosen ? null : one }),
              },
              createVerdict(one, ` ${claims.filter((claim) => verdictOf(claim) === one).length}`),
            ),
          ),
        ),
      );
    },
  };
}

/** @param {AbortSignal} signal */
function createFilters(signal) {
  let timer = 0;
  let drawn = "";
  const search = h("input", {
    type: "search",
    name: "q",
    oninput: () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => navigateQuery({ q: search.value.trim() }), typing_ms);
    },
  });
  const selects = h("div", { class: "row" });
  const search_label = h("span", {});
  signal.addEventListener("abort", () => clearTimeout(timer));
  return {
    element: h("div", { class: "filters", role: "search" }, selects, h("label", {}, search_label, search)),
    /**
     * @param {URLSearchParams} asked
     * @param {readonly string[]} mechanisms
     * @param {readonly {full: string, text: string}[]} machines  to compare with
     * @param {(name: string) => string} titleOf
     */
    update(asked, mechanisms, machines, titleOf) {
      const now = JSON.stringify([asked.toString(), mechanisms.map(titleOf), machines]);
      if (now === drawn || selects.contains(document.activeElement)) return;
      drawn = now;
      setText(search_label, say("claims.search"));
      /** @param {string} name @param {string} label @param {readonly string[]} values @param {(value: string) => string} text */
      const filter = (name, label, values, text) =>
        values.length > 0 && createFilter({ name, label, values, chosen: asked.get(name), text, optional: true });
      setChildren(
        selects,
        filter("verdict", say("claims.verdict"), verdicts, (one) => say(`verdict.${one}`)),
        filter("mechanism", say("claims.mechanism"), mechanisms, titleOf),
        filter("criterion", say("claims.criterion"), criteria, (one) => say(`criterion.${one}`)),
        filter("against", say("claims.against"), machines.map(({ full }) => full), (one) => machines.find(({ full }) => full === one)?.text ?? one),
      );
      if (document.activeElement !== search) search.value = asked.get("q") ?? "";
    },
  };
}

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountClaims({ root, signal, query, store }) {
  let asked = query;
  let ledger = empty_ledger;
  /** What has come in since the ledger was asked for, until the answer is here. @type {Check[]|null} */
  let heard = null;
  /** @type {import("../js/types.js").CheckMachine[]} */
  let machines = [];
  /** @type {Map<number, Check|null>|null} */
  let others = null;
  let others_of = "";
  /** How many checks the progress counts: as many as were pending at once. */
  let batch = 0;

  const title = h("h1", { tabindex: "-1" });
  const lead = h("p", { class: "lead" });
  const all = h("button", { type: "button", class: "primary", hidden: true, onclick: () => void checkAll() });
  const file = h("a", { class: "button", href: "/api/v1/claims", download: "ipclab-claims.json", hidden: true });
  const counts = createCounts();
  const filters = createFilters(signal);
  const bar = h("progress", { class: "claim-progress", hidden: true });
  const status = h("p", { role: "status" }, "…");
  const columns = h("tr", {});
  const table = h("table", { class: "data-table claims" }, h("caption", { class: "visually-hidden" }), h("thead", {}, columns));
  const groups = new Map();
  root.append(
    h("div", { class: "view-head" }, h("div", { class: "grow" }, title, lead), h("div", { class: "row no-print" }, file, all)),
    h("div", { class: "toolbar" }, counts.element, filters.element),
    h("div", { class: "row claim-state" }, bar, status),
    h("div", { class: "card flush scroll-x", role: "region", "aria-label": "", tabindex: "0" }, table),
  );

  /** @param {Claim} claim */
  function checkOne(claim) {
    postCheck(claim.number).then(take, (error) => tellProblem(store, error));
  }

  async function checkAll() {
    try {
      take(...(await postChecks()));
    } catch (error) {
      tellProblem(store, error);
    }
  }

  /** @param {Check[]} checks  as an event or an answer tells them */
  function take(...checks) {
    heard?.push(...checks);
    ledger = checks.reduce(withCheck, ledger);
    render();
  }

  async function loadOther() {
    const against = asked.get("against") ?? "";
    if (against === others_of) return;
    others_of = against;
    others = null;
    if (!against) return render();
    try {
      const { checks } = await getLatestChecks(against, signal);
      if (others_of === against) others = new Map(checks.map((check) => [check.claim, check]));
    } catch (error) {
      tellProblem(store, error);
    }
    render();
  }

  async function load() {
    /** @type {Check[]} */
    const mine = [];
    heard = mine;
    try {
      const [claims, latest] = await Promise.all([
        getClaims(signal),
        getLatestChecks("", signal),
        loadMessages(),
        loadCatalogue(store),
      ]);
      if (signal.aborted || heard !== mine) return;
      ledger = ledgerOf(claims, latest.pending, mine);
      heard = null;
      machines = latest.machines;
      setText(title, say("claims.title"));
      setTitle(say("claims.title"));
      setText(lead, say("claims.lead"));
      setText(all, say("claims.check_all"));
      setText(file, say("claims.download"));
      table.caption?.replaceChildren(say("claims.title"));
      table.parentElement?.setAttribute("aria-label", say("claims.title"));
      for (const element of [all, file]) element.hidden = false;
      render();
      void loadOther();
    } catch (error) {
      if (!signal.aborted) setText(status, problemText(error));
    }
  }

  function renderProgress() {
    const { pending } = ledger;
    batch = pending.size === 0 ? 0 : Math.max(batch, pending.size);
    const done = batch - pending.size;
    bar.hidden = batch < 2;
    setAttribute(bar, "max", batch);
    bar.value = done;
    setAttribute(bar, "aria-label", say("claims.progress"));
    all.disabled = pending.size > 0;
    const waiting = [...pending.values()].find(({ waiting_for }) => waiting_for && waiting_for !== "others")?.waiting_for;
    return waiting ? waitingText(waiting) : batch > 1 ? say("claims.progress_of", { done, all: batch }) : "";
  }

  function render() {
    const { claims, pending } = ledger;
    if (claims.length === 0) return;
    const legend = legendOf(store.getState().mechanisms);
    const here = store.getState().machine;
    const seen = filterClaims(claims, asked);
    counts.update(claims, asked.get("verdict") ?? "");
    const known = machines
      .filter(({ full }) => full !== here?.full)
      .map(({ full, kernel, cpu_model }) => ({ full, text: [kernel, cpu_model, full.slice(0, 8)].filter(Boolean).join(" · ") }));
    filters.update(asked, groupClaims(claims).map(({ mechanism }) => mechanism), known, legend.titleOf);
    setText(status, renderProgress() || (seen.length === claims.length ? "" : sayCount("claims.found", seen.length)));
    const against = known.find(({ full }) => full === others_of)?.text;
    setChildren(
      columns,
      h("th", { scope: "col", class: "number" }, say("claims.number")),
      h("th", { scope: "col" }, say("claims.claim")),
      h("th", { scope: "col" }, others ? say("claims.here") : say("claims.verdict")),
      others && h("th", { scope: "col" }, against ?? others_of.slice(0, 8)),
      h("th", { scope: "col" }, say("claims.checked")),
      h("td", { class: "no-print" }),
    );
    const shown = groupClaims(seen).map(({ mechanism, claims: list }) => ({
      mechanism,
      title: legend.titleOf(mechanism),
      items: list.map((claim) => ({ claim, other: others ? (others.get(claim.number) ?? null) : undefined, pending: pending.get(claim.number) })),
    }));
    for (const { mechanism } of shown)
      if (!groups.has(mechanism)) groups.set(mechanism, createGroup(checkOne));
    for (const [mechanism, group] of groups) {
      const now = shown.find((one) => one.mechanism === mechanism);
      if (now) group.update(now);
      else group.element.remove();
    }
    for (const { mechanism } of shown) table.append(groups.get(mechanism).element);
  }

  followTopic("checks", { check: (/** @type {Check} */ told) => take(told) }, () => {}, signal);
  store.watch(
    (state) => [state.resync],
    (resync) => void (resync > 0 && load()),
    signal,
  );
  store.watch((state) => [state.machine, state.mechanisms], render, signal);

  return {
    title: "Claims",
    query: (now) => {
      asked = now;
      render();
      void loadOther();
    },
  };
}
