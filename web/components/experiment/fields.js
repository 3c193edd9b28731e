/** Every field of an experiment, in the order they are read. */

import { h } from "../../js/dom.js";
import { formatBytes, formatOfferedRate } from "../../js/format.js";
import { groupByFamily, legendOf } from "../../js/mechanisms.js";
import { patternText, placementText, relationText, verifyText, waitText } from "../../js/words.js";
import { createName } from "../marker/marker.js";
import { choiceInput, createField, createGroup, numberInput, selectInput, textInput } from "./field.js";

/**
 * @typedef {import("../../js/types.js").Mechanism} Mechanism
 * @typedef {import("../../js/experiment.js").Values} Values
 * @typedef {import("../../js/offers.js").Offers} Offers
 * @typedef {import("./field.js").Field} Field
 */

/** Fields whose values are plain texts in the form. @typedef {Exclude<keyof Values, "mechanisms"|"patterns"|"message_bytes">} Name */

/** @param {boolean} checked */
function createMarkAll(checked) {
  const button = h("button", { type: "button", class: "small" }, checked ? "All" : "None");
  button.addEventListener("click", () => {
    const group = button.closest("fieldset");
    for (const box of group?.querySelectorAll("input") ?? []) if (!box.disabled) box.checked = checked;
    group?.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return button;
}

/** @param {Values} values @param {readonly Mechanism[]} catalogue */
function createMechanisms(values, catalogue) {
  const legend = legendOf(catalogue);
  /** @param {Mechanism} one */
  const choice = ({ name, title, available, unavailable_reason }) =>
    choiceInput(
      "mechanisms",
      name,
      available && values.mechanisms.includes(name),
      createName(legend.lookOf(name), title),
      {
        disabled: !available,
        note: available ? "" : `not available here: ${unavailable_reason ?? ""}`,
      },
    );
  const families = groupByFamily(catalogue).map((family) =>
    h(
      "div",
      { role: "group", "aria-label": family.title },
      h("span", { class: "choices-title" }, family.title),
      family.mechanisms.map(choice),
    ),
  );
  return createGroup("/mechanisms", "Mechanisms", [
    h("div", { class: "row" }, createMarkAll(true), createMarkAll(false)),
    h("div", { class: "families" }, families),
  ]);
}

/**
 * @param {Values} values
 * @param {readonly Mechanism[]} catalogue
 * @param {Offers} offers
 */
function createPatterns(values, catalogue, { patterns, rate_hz: { min, max } }) {
  const largest = formatBytes(Math.max(...catalogue.map((one) => one.message_bytes_max)));
  const choices = patterns.map((one) => choiceInput("patterns", one, values.patterns.includes(one), patternText(one)));
  const sizes = patterns.map((one) =>
    createField(
      `/message_bytes/${one}`,
      `Sizes, ${patternText(one)}`,
      textInput(`bytes_${one}`, values.message_bytes[one]),
      `64, 4 KiB, 1 MiB; at most ${largest}`,
    ),
  );
  const rates = createField(
    "/rate_hz",
    "Rates, paced",
    textInput("rate_hz", values.rate_hz),
    `messages a second, from ${formatOfferedRate(min)} to ${formatOfferedRate(max)}; 5000, 20k`,
  );
  return [createGroup("/patterns", "Patterns", choices), ...sizes, ...(patterns.includes("paced") ? [rates] : [])];
}

/** @param {import("../../js/offers.js").Range} range */
const countsIn = ({ min, max }) => Array.from({ length: max - min + 1 }, (_, i) => String(min + i));

/**
 * @param {Values} values
 * @param {readonly Mechanism[]} catalogue
 * @param {Offers} offers
 * @param {string} seed_help
 * @returns {Field[]}
 */
export function createFields(values, catalogue, offers, seed_help) {
  /** @param {Name} name @param {string} label @param {string} [help] */
  const text = (name, label, help) => createField(`/${name}`, label, textInput(name, values[name]), help);
  /** @param {Name} name @param {string} label @param {string} [help] */
  const number = (name, label, help) => createField(`/${name}`, label, numberInput(name, values[name]), help);
  /**
   * @param {Name} name
   * @param {string} label
   * @param {readonly string[]} options
   * @param {(option: string) => string} words
   * @param {{otherwise?: string, pointer?: string, help?: string}} [more]  otherwise: what the server takes by itself
   */
  const select = (name, label, options, words, { otherwise, pointer = `/${name}`, help } = {}) => {
    const named = options.map((option) => ({ value: option, text: words(option) }));
    const all = otherwise ? [{ value: "", text: `default: ${otherwise}` }, ...named] : named;
    return createField(pointer, label, selectInput(name, values[name], all), help);
  };
  return [
    createField("/name", "Name", textInput("name", values.name, { maxlength: "120" })),
    createMechanisms(values, catalogue),
    ...createPatterns(values, catalogue, offers),
    number("trials", "Trials of each case"),
    number("duration_ms", "Duration (ms)", "timed part of a trial"),
    number("warmup_ms", "Warm-up (ms)", "before each trial, untimed"),
    select("placement", "Placement", offers.placements, placementText, { otherwise: "two CPUs, if there are two" }),
    select("wait_memory", "Waiting, memory", offers.memory_waits, waitText, {
      otherwise: "spin then futex",
      pointer: "/wait/memory",
      help: "for mechanisms that do not wait for data by themselves",
    }),
    select("wait_kernel", "Waiting, kernel", offers.kernel_waits, waitText, {
      otherwise: "blocking",
      pointer: "/wait/kernel",
    }),
    select("relation", "Relation", offers.relations, relationText),
    select("senders", "Senders", countsIn(offers.senders), String),
    select("receivers", "Receivers", countsIn(offers.receivers), String),
    text("buffer_bytes", "Buffer", "empty: fitted to the pattern"),
    select("verify", "Check", offers.verifies, verifyText),
    number("seed", "Seed", seed_help),
    text("tags", "Tags", "separated by commas"),
    createField("/note", "Note", h("textarea", { name: "note", rows: 2 }, values.note)),
  ];
}
