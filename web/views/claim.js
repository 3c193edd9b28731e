/** One claim and what this kernel says to it. */

import { loadCatalogue, problemText, tellProblem } from "../js/actions.js";
import { getChecks, getClaim, postCheck } from "../js/api.js";
import { h, setChildren, setText } from "../js/dom.js";
import { followTopic } from "../js/events.js";
import { legendOf } from "../js/mechanisms.js";
import { loadMessages, say, waitingText } from "../js/messages.js";
import { setTitle } from "../js/router.js";
import { createRecord } from "../components/claims/record.js";
import { createVerdict, verdictWord } from "../components/claims/verdict.js";

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountClaim({ root, signal, parameters, store }) {
  const number = Number(parameters[0]);
  const title = h("h1", { tabindex: "-1" }, `${number}`);
  const crumb = h("p", { class: "crumb" });
  const verdict = h("p", { class: "claim-verdict", role: "status" });
  const status = h("p", { role: "status" }, "…");
  const body = h("div", {});
  const check = h("button", { type: "button", class: "primary", hidden: true, onclick: () => void run() });
  root.append(
    crumb,
    h("div", { class: "view-head" }, h("div", { class: "grow" }, title, verdict), check),
    status,
    body,
  );
  /** @type {import("../js/types.js").Claim|null} */
  let claim = null;
  /** @type {import("../js/types.js").Check[]} */
  let checks = [];
  /** @type {import("../js/types.js").Check|null} */
  let pending = null;
  let asked = 0;
  /** Checks that retention dropped: an answer that was long on its way may still have them. @type {Set<number>} */
  const gone = new Set();

  function render() {
    if (!claim) return;
    setText(title, claim.text);
    setTitle(`${say("claim.number", { number })}`);
    setChildren(crumb, h("a", { href: "/claims" }, say("claims.title")), ` / ${number} · ${legendOf(store.getState().mechanisms).titleOf(claim.mechanism)}`);
    setChildren(verdict, createVerdict(pending ? pending.state : verdictWord(claim.latest)), h("span", { class: "muted" }, ` ${waitingText(pending?.waiting_for)}`));
    check.hidden = false;
    check.disabled = pending !== null;
    setText(check, say("claims.check"));
    setChildren(body, createRecord(claim, checks, store.getState().machine));
  }

  async function load() {
    const mine = ++asked;
    try {
      const [read, history] = await Promise.all([getClaim(number, signal), getChecks(number, signal), loadMessages(), loadCatalogue(store)]);
      // What was asked for later knows more, whichever answer comes first.
      if (signal.aborted || mine !== asked) return;
      claim = read;
      checks = history.filter(({ id }) => !gone.has(id));
      pending = history.find(({ state }) => state === "queued" || state === "running") ?? null;
      setText(status, "");
      render();
    } catch (error) {
      if (!signal.aborted) setText(status, problemText(error));
    }
  }

  async function run() {
    try {
      await postCheck(number);
      await load();
    } catch (error) {
      tellProblem(store, error);
    }
  }

  followTopic(
    "checks",
    {
      check: (/** @type {import("../js/types.js").Check} */ told) => {
        if (told.claim === number) void load();
      },
      check_deleted: (/** @type {{id: number}} */ { id }) => {
        gone.add(id);
        if (!checks.some((one) => one.id === id)) return;
        checks = checks.filter((one) => one.id !== id);
        render();
      },
    },
    () => {},
    signal,
  );
  store.watch(
    (state) => [state.resync],
    (resync) => void (resync > 0 && load()),
    signal,
  );
  store.watch((state) => [state.machine, state.mechanisms], render, signal);
  return { title: String(number) };
}
