/** What a run was taken on, under what isolation, and from what experiment. */

import { h } from "../../js/dom.js";
import { sentExperiment, shellCommand } from "../../js/experiment.js";
import { createFacts } from "../facts/facts.js";

/**
 * @typedef {import("../../js/types.js").Run} Run
 * @typedef {import("../../js/types.js").Machine} Machine
 */

/** Shown above, where they can be edited. */
const described_elsewhere = ["name", "note", "tags"];

/** @param {Run["machine"]} machine @param {Machine|null} here */
function relationText(machine, here) {
  if (!machine) return "known when the run starts";
  if (machine.full === here?.full) return "this machine, unchanged";
  return machine.comparable === here?.comparable
    ? "this machine, or one that compares with it"
    : "another machine, or this one in another state";
}

/**
 * What the machine here has instead, where it is another one.
 * @param {Machine|null} taken_on
 * @param {Machine|null} here
 */
function differencesOf(taken_on, here) {
  if (!taken_on || !here || taken_on.full === here.full) return {};
  const names = Object.keys({ ...taken_on.facts, ...here.facts });
  const differing = names.filter((name) => taken_on.facts?.[name] !== here.facts?.[name]);
  return Object.fromEntries(differing.map((name) => [name, here.facts?.[name] ?? null]));
}

/**
 * @param {Run} run
 * @param {Machine|null} taken_on
 * @param {Machine|null} here
 */
function createMachine({ machine }, taken_on, here) {
  const hashes = machine ? { comparable: machine.comparable, full: machine.full } : {};
  return h(
    "section",
    { class: "card" },
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, "Machine"),
      h("small", { class: "muted" }, relationText(machine, here)),
    ),
    createFacts("Machine", { ...hashes, ...taken_on?.facts }, differencesOf(taken_on, here)),
  );
}

/** @param {Run} run */
function createIsolation({ isolation }) {
  return h(
    "section",
    { class: "card" },
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, "Isolation"),
      h("small", { class: "muted" }, "what stood between the workers and the rest"),
    ),
    createFacts("Isolation", isolation),
  );
}

/** @param {Run} run */
function createExperiment({ experiment }) {
  const sent = sentExperiment(experiment);
  const facts = Object.fromEntries(Object.entries(sent).filter(([name]) => !described_elsewhere.includes(name)));
  return h(
    "section",
    { class: "card stack" },
    h("h2", {}, "Experiment"),
    createFacts("Experiment", facts),
    h(
      "details",
      {},
      h("summary", {}, "Run this from a shell"),
      h("pre", { class: "code", tabindex: "0", "aria-label": "Shell command" }, shellCommand(sent, location.origin)),
    ),
  );
}

/**
 * @param {Run} run
 * @param {Machine|null} taken_on  the machine of the run, with its facts; null: not known (yet)
 * @param {Machine|null} here  the machine the server runs on
 */
export const createRunContext = (run, taken_on, here) =>
  h(
    "div",
    { class: "columns" },
    createMachine(run, taken_on, here),
    h("div", { class: "view" }, createIsolation(run), createExperiment(run)),
  );
