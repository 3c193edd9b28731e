/** The dialog for an experiment of one's own: every field the server takes, and the same as a shell command. */

import { problemText } from "../../js/actions.js";
import { Problem, newKey } from "../../js/api.js";
import { h, setChildren, setText } from "../../js/dom.js";
import {
  countCases,
  defaultValues,
  estimateMs,
  experimentOf,
  fieldOfPointer,
  shellCommand,
  valuesOf,
} from "../../js/experiment.js";
import { formatEstimate, formatPlural } from "../../js/format.js";
import { hintsOf } from "../../js/hints.js";
import { createFields } from "./fields.js";

/**
 * @typedef {import("../../js/types.js").Experiment} Experiment
 * @typedef {import("../../js/types.js").Mechanism} Mechanism
 * @typedef {import("../../js/experiment.js").Values} Values
 * @typedef {import("../../js/types.js").Pattern} Pattern
 * @typedef {import("./field.js").Field} Field
 */

/** @param {HTMLFormElement} form @returns {Values} */
function readForm(form) {
  const data = new FormData(form);
  /** @param {string} name */
  const text = (name) => String(data.get(name) ?? "");
  return {
    .../** @type {Values} */ (
      /** @type {unknown} */ (Object.fromEntries(Object.keys(defaultValues()).map((name) => [name, text(name)])))
    ),
    mechanisms: data.getAll("mechanisms").map(String),
    patterns: /** @type {Pattern[]} */ (data.getAll("patterns").map(String)),
    message_bytes: {
      round_trip: text("bytes_round_trip"),
      stream: text("bytes_stream"),
      paced: text("bytes_paced"),
    },
  };
}

/** The same request for a shell, kept beside the form. */
function createShell() {
  const command = h("pre", { tabindex: "0", "aria-label": "Shell command" });
  const copy = h("button", { type: "button", class: "small", onclick: () => void copyCommand() }, "Copy");
  async function copyCommand() {
    try {
      await navigator.clipboard.writeText(command.textContent ?? "");
      setText(copy, "Copied");
    } catch {
      getSelection()?.selectAllChildren(command);
      setText(copy, "Selected");
    }
  }
  return {
    element: h(
      "details",
      { class: "shell" },
      h("summary", {}, "Run this from a shell"),
      h("div", { class: "shell-command" }, command, copy),
    ),
    /** @param {Experiment} experiment */
    update(experiment) {
      setText(command, shellCommand(experiment, location.origin));
      setText(copy, "Copy");
    },
  };
}

/**
 * Puts the server's objections at the fields they concern, and the focus on the first.
 * @param {Problem} problem
 * @param {readonly Field[]} fields
 * @param {HTMLElement} summary  for what concerns none of them
 */
function showProblem(problem, fields, summary) {
  const pointers = fields.map(({ pointer }) => pointer);
  const errors = problem.errors.map((error) => ({ ...error, field: fieldOfPointer(error.pointer, pointers) }));
  const elsewhere = errors.filter(({ field }) => field === null);
  for (const field of fields) {
    const own = errors.filter((error) => error.field === field.pointer);
    field.setError(own.map(({ detail }) => detail).join("; "));
  }
  const said = errors.length > 0 && elsewhere.length === 0;
  setText(summary, elsewhere.map(({ pointer, detail }) => `${pointer}: ${detail}`).join("; ") || problemText(problem));
  summary.hidden = said;
  const first = fields.find(({ pointer }) => errors.some((error) => error.field === pointer));
  if (first) first.focus();
  else summary.scrollIntoView({ block: "nearest" });
}

/**
 * @param {() => void} close
 * @param {import("../../js/dom.js").Child[]} body
 * @param {import("../../js/dom.js").Child[]} footer
 */
function createForm(close, body, footer) {
  return h(
    "form",
    { novalidate: true },
    h(
      "header",
      {},
      h("h2", { id: "experiment-title" }, "Own experiment"),
      h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: close }, "✕"),
    ),
    h("div", { class: "experiment-body" }, ...body),
    h("footer", {}, ...footer),
  );
}

/** @param {Experiment|null} repeated */
function seedHelp(repeated) {
  const fresh = "of the shuffled order; empty: a fresh one is drawn and kept";
  return repeated?.seed === undefined || repeated.seed === null ? fresh : `${fresh}. That run took ${repeated.seed}.`;
}

/**
 * A size or a rate is asked for only where the chosen patterns have one.
 * @param {string} pointer
 * @param {readonly Pattern[]} chosen
 */
function isAsked(pointer, chosen) {
  const [, name, pattern] = pointer.split("/");
  if (name === "rate_hz") return chosen.includes("paced");
  return name !== "message_bytes" || chosen.some((one) => one === pattern);
}

/**
 * @param {object} options
 * @param {(experiment: Experiment, key: string) => Promise<void>} options.onstart  rejects with a Problem
 * @param {() => void} options.onclose
 */
export function createExperimentDialog({ onstart, onclose }) {
  const close = () => dialog.close();
  const summary = h("p", { class: "error summary", role: "alert", hidden: true });
  const grid = h("div", { class: "fields" });
  const estimate = h("p", { class: "muted" });
  const shell = createShell();
  const start = h("button", { type: "submit", class: "primary" }, "Start");
  const cancel = h("button", { type: "button", onclick: close }, "Cancel");
  const form = createForm(close, [summary, grid, shell.element], [estimate, cancel, start]);
  const dialog = h("dialog", { class: "experiment", "aria-labelledby": "experiment-title", onclose }, form);

  /** @type {Field[]} */
  let fields = [];
  /** @type {import("../../js/hints.js").Circumstances} */
  let circumstances = { catalogue: [], cpus: null, rate_hz: { min: 0, max: Infinity } };
  // One key for one content: a repeated request with the same content is the same run, another content is another.
  let key = newKey();

  function refresh() {
    const values = readForm(form);
    const experiment = experimentOf(values);
    const hints = hintsOf(values, circumstances);
    for (const field of fields) {
      field.setHint(hints.get(field.pointer) ?? "");
      field.element.hidden = !isAsked(field.pointer, values.patterns);
    }
    setText(
      estimate,
      `${formatPlural(countCases(experiment), "case")}, about ${formatEstimate(estimateMs(experiment))}`,
    );
    shell.update(experiment);
    key = newKey();
  }

  form.addEventListener("input", refresh);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    start.disabled = true;
    try {
      await onstart(experimentOf(readForm(form)), key);
      close();
    } catch (error) {
      showProblem(error instanceof Problem ? error : new Problem(0, problemText(error)), fields, summary);
    } finally {
      start.disabled = false;
    }
  });

  return {
    element: dialog,
    close: () => dialog.open && close(),
    /**
     * @param {object} about
     * @param {Experiment} about.from
     * @param {Experiment|null} about.repeated  what a run took, if it starts from one
     * @param {readonly Mechanism[]} about.catalogue
     * @param {import("../../js/offers.js").Offers} about.offers
     * @param {number|null} about.cpus
     */
    open({ from, repeated, catalogue, offers, cpus }) {
      if (dialog.open) return;
      circumstances = { catalogue, cpus, rate_hz: offers.rate_hz };
      fields = createFields(valuesOf(from), catalogue, offers, seedHelp(repeated));
      setChildren(grid, ...fields.map((field) => field.element));
      summary.hidden = true;
      refresh();
      dialog.showModal();
      fields[0].focus();
    },
  };
}
