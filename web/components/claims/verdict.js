/** A verdict: a word, a sign and a colour, never the colour alone. */

import { h } from "../../js/dom.js";
import { say } from "../../js/messages.js";

/** @type {Record<string, {sign: string, tone: string}>} */
const looks = {
  holds: { sign: "✓", tone: "good" },
  conditional: { sign: "◐", tone: "active" },
  does_not_hold: { sign: "✕", tone: "bad" },
  inconclusive: { sign: "?", tone: "warn" },
  skipped: { sign: "⤼", tone: "" },
  unchecked: { sign: "·", tone: "" },
  running: { sign: "…", tone: "" },
  queued: { sign: "…", tone: "" },
  failed: { sign: "!", tone: "bad" },
  cancelled: { sign: "!", tone: "warn" },
};

export const verdicts = ["holds", "conditional", "does_not_hold", "inconclusive", "skipped", "unchecked"];

/** @param {import("../../js/types.js").Check|null|undefined} check */
export function verdictWord(check) {
  if (!check) return "unchecked";
  return check.verdict ?? check.state;
}

/** @param {string} word @param {string} [note] */
export function createVerdict(word, note = "") {
  const { sign, tone } = looks[word] ?? looks.unchecked;
  return h(
    "span",
    { class: `chip verdict ${tone}`, "data-verdict": word },
    h("span", { "aria-hidden": "true" }, sign),
    say(`verdict.${word}`),
    note,
  );
}
