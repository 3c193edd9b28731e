/** The dialog for an experiment of one's own: every field the server takes, and the same as a shell command. */

import { h, setChildren, setText } from "../../js/dom.js";
import { Problem, newKey } from "../../js/api.js";
import { countCases, defaultValues, estimateMs, experimentOf, fieldOfPointer, hintsOf, kernel_waits, memory_waits, patterns, placements, shellCommand, valuesOf } from "../../js/experiment.js";
import { formatEstimate, formatPlural } from "../../js/format.js";
import { groupByFamily, looksOf } from "../../js/mechanisms.js";
import { patternText, placementText, relationText, verifyText, waitText } from "../../js/words.js";
import { problemText } from "../../js/actions.js";
import { createName } from "../marker/marker.js";
import { choiceInput, createField, createGroup, numberInput, selectInput, textInput } from "./field.js";

/**
 * @typedef {import("../../js/types.js").Experiment} Experiment
 * @typedef {import("../../js/types.js").Mechanism} Mechanism
 * @typedef {import("../../js/experiment.js").Values} Values
 * @typedef {import("./field.js").Field} Field
 */

/** @param {string[]} names @param {(name: string) => string} text @param {string} otherwise @returns {[string, string][]} */
const withDefault = (names, text, otherwise) => [["", otherwise], ...names.map((name) => /** @type {[string, string]} */ ([name, text(name)]))];

/**
 * @param {Values} values
 * @param {readonly Mechanism[]} catalogue
 * @returns {Map<string, Field>}  by JSON pointer, in the order they are read
 */
function createFields(values, catalogue) {
  const looks = looksOf(catalogue);
  /** @param {boolean} checked */
  const mark = (checked) => (/** @type {Event} */ event) => {
    const group = /** @type {Element} */ (event.currentTarget).closest("fieldset");
    for (const box of group?.querySelectorAll("input:not(:disabled)") ?? []) /** @type {HTMLInputElement} */ (box).checked = checked;
    group?.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const mechanisms = groupByFamily(catalogue).map((family) =>
    h(
      "div",
      { class: "choices", role: "group", "aria-label": family.title },
      h("span", { class: "choices-title" }, family.title),
      family.mechanisms.map((one) =>
        choiceInput("checkbox", "mechanisms", one.name, one.available && values.mechanisms.includes(one.name), createName(looks.get(one.name), one.title), {
          disabled: !one.available,
          note: one.available ? "" : `not available here: ${one.unavailable_reason ?? ""}`,
        }),
      ),
    ),
  );
  const all_or_none = h("div", { class: "row" }, h("button", { type: "button", class: "small", onclick: mark(true) }, "All"), h("button", { type: "button", class: "small", onclick: mark(false) }, "None"));

  return new Map([
    ["/name", createField("/name", "Name", textInput("name", values.name, { maxlength: "120" }))],
    ["/mechanisms", createGroup("/mechanisms", "Mechanisms", [all_or_none, h("div", { class: "families" }, ...mechanisms)])],
    ["/patterns", createGroup("/patterns", "Patterns", patterns.map((one) => choiceInput("checkbox", "patterns", one, values.patterns.includes(one), patternText(one))))],
    ...patterns.map((one) => /** @type {[string, Field]} */ ([
      `/message_bytes/${one}`,
      createField(`/message_bytes/${one}`, `Sizes, ${patternText(one)}`, textInput(`bytes_${one}`, values.message_bytes[one]), "64, 4 KiB, 1 MiB"),
    ])),
    ["/trials", createField("/trials", "Trials of each case", numberInput("trials", values.trials))],
    ["/duration_ms", createField("/duration_ms", "Duration (ms)", numberInput("duration_ms", values.duration_ms), "timed part of a trial")],
    ["/warmup_ms", createField("/warmup_ms", "Warm-up (ms)", numberInput("warmup_ms", values.warmup_ms), "before each trial, untimed")],
    ["/placement", createField("/placement", "Placement", selectInput("placement", values.placement, withDefault(placements, placementText, "default: two CPUs, if there are two")))],
    ["/wait/memory", createField("/wait/memory", "Waiting, memory", selectInput("wait_memory", values.wait_memory, withDefault(memory_waits, waitText, "default: spin then futex")), "for mechanisms that do not wait for data by themselves")],
    ["/wait/kernel", createField("/wait/kernel", "Waiting, kernel", selectInput("wait_kernel", values.wait_kernel, withDefault(kernel_waits, waitText, "default: blocking")))],
    ["/relation", createField("/relation", "Relation", selectInput("relation", values.relation, [["related", relationText("related")], ["unrelated", relationText("unrelated")]]))],
    ["/senders", createField("/senders", "Senders", numberInput("senders", values.senders))],
    ["/receivers", createField("/receivers", "Receivers", numberInput("receivers", values.receivers))],
    ["/buffer_bytes", createField("/buffer_bytes", "Buffer", textInput("buffer_bytes", values.buffer_bytes), "empty: fitted to the pattern")],
    ["/verify", createField("/verify", "Check", selectInput("verify", values.verify, ["header", "full", "none"].map((one) => [one, verifyText(one)])))],
    ["/seed", createField("/seed", "Seed", numberInput("seed", values.seed), "of the shuffled order; empty: chosen and kept")],
    ["/tags", createField("/tags", "Tags", textInput("tags", values.tags), "separated by commas")],
    ["/note", createField("/note", "Note", h("textarea", { name: "note", rows: 2 }, values.note))],
  ]);
}

/** @param {HTMLFormElement} form @returns {Values} */
function readForm(form) {
  const data = new FormData(form);
  /** @param {string} name */
  const text = (name) => String(data.get(name) ?? "");
  return {
    .../** @type {Values} */ (/** @type {unknown} */ (Object.fromEntries(Object.keys(defaultValues()).map((name) => [name, text(name)])))),
    mechanisms: data.getAll("mechanisms").map(String),
    patterns: patterns.filter((pattern) => data.getAll("patterns").includes(pattern)),
    message_bytes: { round_trip: text("bytes_round_trip"), stream: text("bytes_stream") },
  };
}

/**
 * @param {object} options
 * @param {(experiment: Experiment, key: string) => Promise<void>} options.onstart  rejects with a Problem
 * @param {() => void} options.onclose
 */
export function createExperimentDialog({ onstart, onclose }) {
  const summary = h("p", { class: "error summary", role: "alert", hidden: true });
  const grid = h("div", { class: "fields" });
  const estimate = h("p", { class: "muted" });
  const command = h("pre", { tabindex: "0", "aria-label": "Shell command" });
  const copy = h("button", { type: "button", class: "small", onclick: () => void copyCommand() }, "Copy");
  const start = h("button", { type: "submit", class: "primary" }, "Start");
  const form = h(
    "form",
    { novalidate: true },
    h("header", {}, h("h2", { id: "experiment-title" }, "Own experiment"), h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => dialog.close() }, "✕")),
    h(
      "div",
      { class: "experiment-body" },
      summary,
      grid,
      h("details", { class: "shell" }, h("summary", {}, "Run this from a shell"), h("div", { class: "shell-command" }, command, copy)),
    ),
    h("footer", {}, estimate, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), start),
  );
  const dialog = h("dialog", { class: "experiment", "aria-labelledby": "experiment-title" }, form);

  /** @type {Map<string, Field>} */
  let fields = new Map();
  /** @type {readonly Mechanism[]} */
  let catalogue = [];
  // One key for one content: a repeated request with the same content is the same run, another content is another.
  let key = newKey();

  async function copyCommand() {
    try {
      await navigator.clipboard.writeText(command.textContent ?? "");
      setText(copy, "Copied");
    } catch {
      getSelection()?.selectAllChildren(command);
      setText(copy, "Selected");
    }
  }

  function refresh() {
    const values = readForm(form);
    const experiment = experimentOf(values);
    const hints = hintsOf(values, catalogue);
    for (const [pointer, field] of fields) field.setHint(hints.get(pointer) ?? "");
    for (const pattern of patterns) {
      const field = fields.get(`/message_bytes/${pattern}`);
      if (field) field.element.hidden = !values.patterns.includes(pattern);
    }
    setText(estimate, `${formatPlural(countCases(experiment), "case")}, about ${formatEstimate(estimateMs(experiment))}`);
    setText(command, shellCommand(experiment, location.origin));
    setText(copy, "Copy");
    key = newKey();
  }

  /** @param {Problem} problem */
  function showErrors(problem) {
    /** @type {Map<string, string[]>} */
    const by_field = new Map();
    const elsewhere = [];
    for (const { pointer, detail } of problem.errors) {
      const field = fieldOfPointer(pointer, fields.keys());
      if (field) by_field.set(field, [...(by_field.get(field) ?? []), detail]);
      else elsewhere.push(`${pointer}: ${detail}`);
    }
    for (const [pointer, field] of fields) field.setError((by_field.get(pointer) ?? []).join("; "));
    summary.hidden = by_field.size > 0 && elsewhere.length === 0;
    setText(summary, elsewhere.length > 0 ? elsewhere.join("; ") : problemText(problem));
    const first = [...fields].find(([pointer]) => by_field.has(pointer));
    if (first) first[1].focus();
    else summary.scrollIntoView({ block: "nearest" });
  }

  form.addEventListener("input", refresh);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    start.disabled = true;
    try {
      await onstart(experimentOf(readForm(form)), key);
      dialog.close();
    } catch (error) {
      showErrors(error instanceof Problem ? error : new Problem(0, problemText(error)));
    } finally {
      start.disabled = false;
    }
  });
  dialog.addEventListener("close", onclose);

  return {
    element: dialog,
    /**
     * @param {Experiment} from
     * @param {readonly Mechanism[]} mechanisms
     */
    open(from, mechanisms) {
      if (dialog.open) return;
      catalogue = mechanisms;
      fields = createFields(valuesOf(from), mechanisms);
      setChildren(grid, ...[...fields.values()].map((field) => field.element));
      summary.hidden = true;
      refresh();
      dialog.showModal();
      fields.get("/name")?.focus();
    },
    close() {
      if (dialog.open) dialog.close();
    },
  };
}
