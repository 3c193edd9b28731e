/** The record of one claim: what is claimed, what was done, what was seen, why, and the labs that show it. */

import { h } from "../../js/dom.js";
import { formatTime } from "../../js/format.js";
import { messageAt, say, sayCount } from "../../js/messages.js";
import { createEvidence, paragraphs } from "../lab/explain.js";
import { createSource } from "../lab/program.js";
import { createVerdict, verdictWord } from "./verdict.js";

/**
 * @typedef {import("../../js/types.js").Claim} Claim
 * @typedef {import("../../js/types.js").Check} Check
 */

/** @param {string} key @param {import("../../js/dom.js").Child[]} content */
const part = (key, content) => h("section", { class: "card claim-part stack" }, h("h2", {}, say(key)), content);

/** Where and when. @param {Check} check @param {import("../../js/types.js").Machine|null} here */
export function circumstances({ kernel, machine, finished_ms, repeats }, here) {
  const place = machine && (machine.full === here?.full ? say("claims.this_machine") : `${say("claims.machine")} ${machine.comparable.slice(0, 8)}`);
  return [
    kernel && (/^Linux/.test(kernel) ? kernel : `Linux ${kernel}`),
    place,
    finished_ms ? formatTime(finished_ms) : null,
    repeats && repeats > 1 ? sayCount("claims.repeats", repeats) : null,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** @param {Check} check */
function createSeen(check) {
  const { skipped, message, evidence } = check;
  return [
    skipped && h("div", { class: "callout warn" }, h("p", {}, h("strong", {}, say("explain.skipped", skipped))), h("p", {}, skipped.what)),
    message && h("p", { class: "callout bad" }, message),
    createEvidence(evidence ?? {}) ?? h("p", { class: "muted" }, say("claims.no_evidence")),
  ];
}

/** @param {readonly Check[]} checks @param {import("../../js/types.js").Machine|null} here */
function createHistory(checks, here) {
  return h(
    "div",
    { class: "scroll-x", role: "region", tabindex: "0", "aria-label": say("claims.earlier") },
    h(
      "table",
      { class: "data-table" },
      h("caption", { class: "visually-hidden" }, say("claims.earlier")),
      h(
        "thead",
        {},
        h("tr", {}, ["check_number", "verdict", "circumstances"].map((name) => h("th", { scope: "col" }, say(`claims.${name}`)))),
      ),
      h(
        "tbody",
        {},
        checks.map((one) =>
          h("tr", {}, h("th", { scope: "row" }, String(one.id)), h("td", {}, createVerdict(verdictWord(one))), h("td", {}, circumstances(one, here))),
        ),
      ),
    ),
  );
}

/**
 * @param {Claim} claim
 * @param {readonly Check[]} checks
 * @param {import("../../js/types.js").Machine|null} here
 */
export function createRecord(claim, checks, here) {
  const { latest } = claim;
  return h(
    "div",
    { class: "claim-record" },
    h(
      "div",
      { class: "claim-column" },
      part("claims.done", [h("div", { class: "prose" }, paragraphs(claim.experiment)), claim.source && createSource(claim.source)]),
      claim.labs.length > 0 &&
        part("claims.labs", [
          h(
            "ul",
            { class: "link-list" },
            claim.labs.map((name) => {
              const lab = messageAt(`labs.${name}`);
              return h("li", {}, h("a", { href: `/labs/${name}` }, lab?.title ?? name), lab?.question && h("small", { class: "muted" }, ` ${lab.question}`));
            }),
          ),
        ]),
    ),
    h(
      "div",
      { class: "claim-column" },
      part("claims.seen", latest ? [h("p", { class: "muted" }, circumstances(latest, here)), ...createSeen(latest)] : [h("p", { class: "muted" }, say("claims.never"))]),
      latest?.why && part("claims.why", [h("div", { class: "prose" }, paragraphs(latest.why))]),
      checks.length > 1 && part("claims.earlier", [createHistory(checks, here)]),
    ),
  );
}
