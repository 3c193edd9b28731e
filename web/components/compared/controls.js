/** What is compared by, which cases, and the gate. */

import { comparisonAddress } from "../../js/api.js";
import { groupsOf, highlight_max, shareOf, statistics } from "../../js/compare.js";
import { h, renewChildren, setAttribute, setText } from "../../js/dom.js";
import { addressWith, navigateQuery } from "../../js/router.js";
import { statisticText } from "../../js/words.js";
import { createSelect } from "../filters/filters.js";
import { createName } from "../marker/marker.js";
import { shownVerdicts } from "./forest.js";

/** @typedef {import("./model.js").Compared} Compared */

/** @type {Record<string, {text: string, tone: string}>} */
const gates = {
  pass: { text: "✓ passes", tone: "good" },
  regression: { text: "▼ regression", tone: "bad" },
  inconclusive: { text: "? inconclusive", tone: "warn" },
  nothing_measured: { text: "∅ nothing measured", tone: "warn" },
  not_comparable: { text: "⊘ not comparable", tone: "warn" },
};

/** @param {import("../../js/types.js").Comparison} comparison */
function gateText({ gate_reason, trials_needed }) {
  const reason = (gate_reason ?? "").replace(/\.$/, "");
  const more =
    trials_needed && !/\d+ trials/.test(reason) ? ` About ${trials_needed} trials of each case would decide.` : "";
  return `${reason}.${more} With a gate p is corrected by Holm.`;
}

function createGate() {
  const limit = h("input", {
    type: "text",
    name: "max_slower",
    inputmode: "decimal",
    autocomplete: "off",
    placeholder: "5",
    "aria-describedby": "gate-told",
  });
  const verdict = h("span", { class: "chip" });
  const reason = h("span", { class: "muted" });
  const told = h("span", { id: "gate-told", class: "row gate-told", role: "status" }, verdict, reason);
  const command = h("pre", { class: "code", tabindex: "0", "aria-label": "Shell command" });
  const script = h("details", { class: "gate-script" }, h("summary", {}, "For a script"), command);
  const clear = h(
    "button",
    { type: "button", class: "small quiet", onclick: () => navigateQuery({ max_slower: null }) },
    "No gate",
  );
  const form = h(
    "form",
    { class: "gate", novalidate: true, "aria-label": "Gate" },
    h("label", {}, h("span", {}, "Gate: slower by at most, %"), limit),
    h("button", { type: "submit", class: "small" }, "Decide"),
    clear,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const share = shareOf(limit.value || limit.placeholder);
    setAttribute(limit, "aria-invalid", share === null ? "true" : null);
    if (share !== null) return navigateQuery({ max_slower: share });
    verdict.hidden = true;
    setText(reason, "A share above 0 and up to 1000 %, such as 5.");
  });
  return {
    form,
    told: h("div", { class: "gate-answer" }, told, script),
    /** @param {Compared} compared */
    update({ comparison, question }) {
      const { gate } = comparison;
      const { text, tone } = gates[gate ?? ""] ?? { text: gate ?? "", tone: "" };
      if (document.activeElement !== limit) limit.value = question.max_slower ?? "";
      setAttribute(limit, "aria-invalid", null);
      clear.hidden = question.max_slower === null;
      verdict.hidden = gate === null;
      setText(verdict, text);
      setAttribute(verdict, "class", `chip ${tone}`);
      setText(reason, gate === null ? "" : gateText(comparison));
      script.hidden = gate === null;
      const address = comparisonAddress({
        base: comparison.base,
        against: comparison.against.join(","),
        statistic: question.statistic,
        max_slower: question.max_slower,
      });
      setText(command, `curl -sS '${location.origin}${address}' | grep -q '"gate":"pass"'`);
    },
  };
}

/** The mechanisms in colour: up to five, chosen by links. */
export function createHighlight() {
  const list = h("ul", { class: "highlight" });
  return {
    element: h(
      "div",
      { class: "highlight-row no-print" },
      h("span", { class: "muted" }, "In colour, up to five:"),
      list,
    ),
    /** @param {{names: string[], highlight: string[], legend: import("../../js/mechanisms.js").Legend}} props */
    update({ names, highlight, legend }) {
      renewChildren(
        list,
        names.map((name) => {
          const on = highlight.includes(name);
          const next = on ? highlight.filter((one) => one !== name) : [...highlight.slice(1 - highlight_max), name];
          return h(
            "li",
            {},
            h(
              "a",
              {
                class: on ? "chip highlight-on" : "chip",
                href: addressWith({ highlight: next.join(",") }),
                "aria-current": on ? "true" : null,
              },
              createName(legend.lookOf(name), legend.titleOf(name)),
            ),
          );
        }),
      );
    },
  };
}

export function createControls() {
  const statistic = createSelect("statistic", "Compared by");
  const group = createSelect("group", "Cases");
  const gate = createGate();
  return {
    element: h(
      "div",
      { class: "stack no-print" },
      h("div", { class: "toolbar" }, h("div", { class: "filters" }, statistic.element, group.element), gate.form),
      gate.told,
    ),
    /** @param {Compared} compared */
    update(compared) {
      const { question, comparison } = compared;
      statistic.update(
        [
          { value: "", text: "what each pattern is about" },
          ...statistics.map((value) => ({ value, text: statisticText(value) })),
        ],
        question.statistic ?? "",
      );
      const groups = groupsOf(comparison.verdicts);
      group.update(
        [{ value: "all", text: "all" }, ...groups.map(({ key, text }) => ({ value: key, text }))],
        shownVerdicts(compared).group,
      );
      gate.update(compared);
    },
  };
}
