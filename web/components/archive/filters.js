/** What the archive is asked for, as controls; the answers are in the address. The text waits until the reader pauses. */

import { h, setChildren } from "../../js/dom.js";
import { askArchive } from "./ask.js";
import { stateText } from "../../js/words.js";

const typing_ms = 250;
const states = ["queued", "running", "done", "failed", "cancelled", "interrupted"];

/**
 * @typedef {object} Known  what there is to choose from
 * @property {readonly import("../../js/types.js").Mechanism[]} mechanisms
 * @property {{hash: string, text: string}[]} machines
 * @property {string[]} tags
 */

/** @param {HTMLSelectElement} select @param {{value: string, text: string}[]} options @param {string} chosen */
function fillSelect(select, options, chosen) {
  const known = options.some(({ value }) => value === chosen);
  const rest = known || chosen === "" ? [] : [{ value: chosen, text: chosen.slice(0, 12) }];
  setChildren(
    select,
    h("option", { value: "" }, "any"),
    [...options, ...rest].map(({ value, text }) => h("option", { value }, text)),
  );
  select.value = chosen;
}

/** @param {AbortSignal} signal */
export function createArchiveFilters(signal) {
  /** What was typed and is not asked for yet, by its name: each has its own pause. @type {Map<string, number>} */
  const typed = new Map();
  const forget = () => {
    for (const timer of typed.values()) clearTimeout(timer);
    typed.clear();
  };
  signal.addEventListener("abort", forget);

  /** @param {string} name */
  const select = (name) => {
    const element = h("select", { name, onchange: () => askArchive({ [name]: element.value }) });
    return element;
  };
  /** @param {string} name @param {Record<string, string>} attributes */
  const text = (name, attributes) => {
    const element = h("input", {
      ...attributes,
      name,
      oninput: () => {
        clearTimeout(typed.get(name));
        const ask = () => {
          typed.delete(name);
          askArchive({ [name]: element.value.trim() });
        };
        typed.set(name, window.setTimeout(ask, typing_ms));
      },
    });
    return element;
  };
  /** @param {string} name */
  const day = (name) => {
    const element = h("input", { type: "date", name, onchange: () => askArchive({ [name]: element.value }) });
    return element;
  };

  const controls = {
    q: text("q", { type: "search", placeholder: "name, note or tag" }),
    state: select("state"),
    mechanism: select("mechanism"),
    machine: select("machine"),
    tag: text("tag", { type: "text", list: "archive-tags", autocomplete: "off" }),
    since: day("since"),
    until: day("until"),
  };
  const tags = h("datalist", { id: "archive-tags" });
  const clear = h(
    "button",
    {
      type: "button",
      class: "small quiet",
      onclick: () => {
        forget();
        askArchive(Object.fromEntries(Object.keys(controls).map((name) => [name, null])));
      },
    },
    "Clear filters",
  );
  /** @type {Record<keyof typeof controls, string>} */
  const labels = {
    q: "Search",
    state: "State",
    mechanism: "Mechanism",
    machine: "Machine",
    tag: "Tag",
    since: "From",
    until: "Until",
  };
  const names = /** @type {(keyof typeof controls)[]} */ (Object.keys(controls));
  let shown = "";

  return {
    element: h(
      "div",
      { class: "filters archive-filters", role: "search", "aria-label": "Runs" },
      names.map((name) => h("label", {}, h("span", {}, labels[name]), controls[name])),
      tags,
      clear,
    ),
    /** @param {URLSearchParams} asked @param {Known} known */
    update(asked, known) {
      const now = JSON.stringify([asked.toString(), known.mechanisms.length, known.machines, known.tags]);
      if (now === shown) return;
      shown = now;
      const chosen = (/** @type {string} */ name) => asked.get(name) ?? "";
      fillSelect(
        controls.state,
        states.map((value) => ({ value, text: stateText(value) })),
        chosen("state"),
      );
      fillSelect(
        controls.mechanism,
        known.mechanisms.map(({ name, title }) => ({ value: name, text: title })),
        chosen("mechanism"),
      );
      fillSelect(
        controls.machine,
        known.machines.map(({ hash, text: label }) => ({ value: hash, text: label })),
        chosen("machine"),
      );
      setChildren(
        tags,
        known.tags.map((value) => h("option", { value })),
      );
      for (const control of [controls.q, controls.tag, controls.since, controls.until])
        if (document.activeElement !== control && !typed.has(control.name)) control.value = chosen(control.name);
      clear.hidden = names.every((name) => chosen(name) === "");
    },
  };
}
