/** What stands in the place of a comparison, or of runs in it, that cannot be shown. */

import { restoreRun } from "../../js/actions.js";
import { getRuns } from "../../js/api.js";
import { compareAddress, pairsOf } from "../../js/compare.js";
import { h, setChildren, setText } from "../../js/dom.js";
import { formatTime } from "../../js/format.js";

/**
 * @typedef {import("../../js/store.js").Store} Store
 * @typedef {import("../../js/types.js").Run} Run
 * @typedef {import("../../js/compare.js").Question} Question
 */

const runs_looked_at = 100;
const pairs_most = 8;

/**
 * What stands here before runs are chosen: how to choose, and pairs that suggest themselves.
 * @param {AbortSignal} signal
 */
export function createChooser(signal) {
  const list = h("ul", { class: "pair-list" });
  const found = h("section", { class: "card stack", hidden: true }, h("h2", {}, "Taken more than once"), list);
  const why = h("p", { class: "prose" });
  let asked = false;

  /** @param {{base: Run, against: Run}} pair */
  const createPair = ({ base, against }) =>
    h(
      "li",
      {},
      h("a", { href: compareAddress([base.id, against.id]) }, `#${against.id} against #${base.id}`),
      ` ${against.name} `,
      h("span", { class: "muted" }, `${formatTime(base.started_ms)} and ${formatTime(against.started_ms)}`),
    );

  return {
    element: h(
      "div",
      { class: "view" },
      h(
        "div",
        {},
        h("h1", { tabindex: "-1" }, "Compare"),
        h(
          "p",
          { class: "lead" },
          "Two to nine runs, case by case: what became faster, what slower, and how sure that is.",
        ),
      ),
      why,
      h("p", {}, h("a", { class: "button", href: "/runs?state=done" }, "Choose runs in the archive")),
      found,
    ),
    /** @param {Question} question */
    update({ base }) {
      setText(
        why,
        base === null
          ? "Tick two or more runs in the archive, and compare them; the first is the base."
          : `Run ${base} is the base. Choose what to hold against it.`,
      );
      if (asked) return;
      asked = true;
      getRuns({ state: "done", limit: runs_looked_at }, signal).then(
        ({ runs }) => {
          const pairs = pairsOf(runs, pairs_most);
          found.hidden = pairs.length === 0;
          setChildren(list, pairs.map(createPair));
        },
        () => {
          asked = false;
        },
      );
    },
  };
}

/**
 * Runs that are not there.
 * @param {Store} store
 */
export function createMissing(store) {
  const element = h("div", { class: "stack compared-missing", role: "status" });
  return {
    element,
    /** @param {{id: number, why: string, deleted: boolean}[]} missing */
    update(missing) {
      setChildren(
        element,
        missing.map(({ id, why, deleted }) =>
          h(
            "p",
            { class: "card compared-warning row" },
            h("span", {}, `Run ${id} is left out: ${why}`),
            deleted &&
              h("button", { type: "button", class: "small", onclick: () => void restoreRun(store, id) }, "Restore"),
          ),
        ),
      );
    },
  };
}
