/** Which runs are compared, what came of it in one line, and what can be done with it. */

import { comparisonAddress } from "../../js/api.js";
import { countVerdicts, differencesOf, verdict_words, verdicts } from "../../js/compare.js";
import { h, renewChildren, setText } from "../../js/dom.js";
import { formatTime } from "../../js/format.js";
import { addressWith } from "../../js/router.js";
import { isOver, stateText, stateTone, statisticText } from "../../js/words.js";
import { runName } from "./model.js";
import { shownVerdicts } from "./forest.js";

/**
 * @typedef {import("./model.js").Compared} Compared
 * @typedef {import("./model.js").Side} Side
 */

/** @param {readonly Side[]} sides */
function experimentText(sides) {
  const hashes = new Set(sides.map(({ run }) => run.experiment_hash));
  if (hashes.size === 1 && !hashes.has(undefined)) return "Same experiment";
  const names = differencesOf(sides.map(({ run }) => run.experiment))
    .map(({ name }) => name)
    .filter((name) => !["name", "note", "tags", "seed", "preset"].includes(name));
  return names.length === 0 ? "Same experiment" : `Experiments that differ in ${names.join(", ").replaceAll("_", " ")}`;
}

/** @param {readonly Side[]} sides @param {boolean|null} comparable */
function machineText(sides, comparable) {
  if (comparable === null) return "machines of which not all are known";
  const full = new Set(sides.map(({ run }) => run.machine?.full));
  if (full.size === 1) return "one machine";
  const kernels = [
    ...new Set(sides.flatMap(({ machine }) => (machine?.facts?.kernel ? String(machine.facts.kernel) : []))),
  ];
  const changed = kernels.length > 1 ? `, kernel ${kernels.join(" → ").replaceAll("Linux ", "")}` : "";
  return `${comparable ? "machines that compare" : "machines or isolation that do not compare"}${changed}`;
}

/** @param {Compared} compared */
function sentence({ sides, comparison, question }) {
  const what =
    question.statistic === null ? "latencies by their p50, streams by bytes a second" : `by ${statisticText(question.statistic)}`;
  const counts = [...new Set(comparison.verdicts.flatMap(({ n }) => n))].sort((a, b) => a - b);
  const trials =
    counts.length === 0
      ? ""
      : counts.length === 1
        ? `, ${counts[0]} trials each`
        : `, ${counts[0]} to ${counts[counts.length - 1]} trials each`;
  return `${experimentText(sides)}, ${machineText(sides, comparison.comparable)}. Compared: ${what}${trials}.`;
}

/** @param {Side} side @param {number} place @param {readonly Side[]} sides */
function createRunItem({ run, name }, place, sides) {
  const ids = sides.map((one) => one.run.id);
  const others = ids.filter((id) => id !== run.id);
  /** @param {number[]} order  the base first */
  const reordered = ([base, ...against]) => addressWith({ base: String(base), against: against.join(",") });
  return h(
    "li",
    { class: "compared-run" },
    h("a", { href: `/runs/${run.id}` }, h("strong", {}, name), ` ${run.name || "unnamed"}`),
    h("span", { class: "muted nowrap" }, formatTime(run.started_ms ?? run.created_ms)),
    !isOver(run.state) && h("span", { class: `chip ${stateTone(run.state)}` }, stateText(run.state)),
    run.tags.map((tag) => h("span", { class: "chip" }, tag)),
    place === 0
      ? h("span", { class: "chip active" }, "base")
      : h(
          "a",
          { class: "no-print", href: reordered([run.id, ...others]), "aria-label": `make base: ${name}` },
          "make base",
        ),
    sides.length > 2 &&
      h("a", { class: "no-print", href: reordered(others), "aria-label": `leave out: ${name}` }, "leave out"),
  );
}

/** @param {Compared} compared */
function createStrip(compared) {
  const { list } = shownVerdicts(compared);
  const counts = countVerdicts(list);
  const { verdict } = compared.question;
  return verdict_words
    .filter((word) => counts[word] > 0 || word === verdict)
    .map((word) => {
      const { text, sign, tone } = verdicts[word];
      return h(
        "a",
        {
          class: `chip verdict ${tone}`,
          href: addressWith({ verdict: word === verdict ? null : word }),
          "aria-current": word === verdict ? "true" : null,
          title: word === verdict ? "Show all verdicts" : `Show only what is ${text}`,
        },
        h("span", { "aria-hidden": "true" }, sign),
        `${counts[word]} ${text}`,
      );
    });
}

/** @param {{onreport: () => void, oncsv: () => void, oncopy: () => void}} actions */
export function createComparedHead({ onreport, oncsv, oncopy }) {
  const title = h("h1", { tabindex: "-1" });
  const lead = h("p", { class: "lead" });
  const runs = h("ul", { class: "compared-runs" });
  const strip = h("div", { class: "row verdict-strip", role: "group", "aria-label": "Verdicts" });
  const json = h("a", { class: "button small", title: "The comparison as the server answers it" }, "JSON");
  const add = h("a", { class: "button small no-print" }, "Other runs…");
  /** @param {string} text @param {string} hint @param {() => void} act */
  const button = (text, hint, act) => h("button", { type: "button", class: "small", title: hint, onclick: act }, text);
  return {
    elements: [
      h(
        "div",
        { class: "view-head" },
        h("div", { class: "grow" }, title, lead),
        h(
          "div",
          { class: "row no-print" },
          button("Download report", "This page as one file that needs no server", onreport),
          button("CSV", "The verdicts as comma-separated values", oncsv),
          json,
          button("Copy link", "The address of this view", oncopy),
        ),
      ),
      h("div", { class: "row compared-runs-row" }, runs, add),
      strip,
    ],
    /** @param {Compared} compared */
    update(compared) {
      const { sides, comparison, question } = compared;
      setText(
        title,
        `${sides
          .slice(1)
          .map(({ name }) => name)
          .join(", ")} against ${sides[0].name}`,
      );
      setText(lead, sentence(compared));
      renewChildren(runs, sides.map(createRunItem));
      renewChildren(strip, createStrip(compared));
      json.href = comparisonAddress({
        base: comparison.base,
        against: comparison.against.join(","),
        statistic: question.statistic,
        max_slower: question.max_slower,
      });
      json.download = `ipclab-compare-${comparison.base}-${comparison.against.join("-")}.json`;
      add.href = `/runs?selected=${sides.map(({ run }) => run.id).join(",")}`;
    },
  };
}

/** The runs of a comparison in words. @param {readonly Side[]} sides */
export const titleOf = (sides) =>
  `${sides
    .slice(1)
    .map(({ run }) => runName(run.id))
    .join(", ")} against ${sides[0].name}`;
