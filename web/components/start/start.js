/** Starts a preset, or opens the form for an experiment of one's own. */

import { h, setChildren, setText } from "../../js/dom.js";
import { formatEstimate } from "../../js/format.js";

/**
 * @typedef {import("../../js/types.js").Preset} Preset
 * @param {{onstart: (preset: Preset) => Promise<void>}} options
 */
export function createStart({ onstart }) {
  const choices = h("div", { class: "presets", role: "radiogroup", "aria-label": "What to measure" });
  const start = h("button", { type: "submit", class: "primary", disabled: true }, "Start");
  const element = h(
    "form",
    { class: "start" },
    choices,
    h("div", { class: "row" }, start, h("a", { class: "button", href: "/?own" }, "Own experiment…")),
  );
  /** @type {readonly Preset[]} */
  let shown = [];
  let asking = false;
  /** Whoever is quicker than the presets would press for nothing. */
  const enable = () => void (start.disabled = asking || shown.length === 0);

  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = new FormData(element).get("preset");
    const preset = shown.find((one) => one.name === name);
    if (!preset) return;
    asking = true;
    enable();
    await onstart(preset);
    asking = false;
    enable();
    // The focus comes back to where it was lost, unless the reader has gone on meanwhile.
    if (document.activeElement === document.body) start.focus();
  });

  return {
    element,
    /** @param {readonly Preset[]} presets @param {boolean} busy */
    update(presets, busy) {
      setText(start, busy ? "Add to the queue" : "Start");
      if (presets === shown) return;
      shown = presets;
      enable();
      setChildren(
        choices,
        presets.map((preset, i) =>
          h(
            "label",
            { class: "preset" },
            h("input", { type: "radio", name: "preset", value: preset.name, checked: i === 0 }),
            h(
              "span",
              {},
              h("strong", {}, preset.title),
              h("small", {}, `about ${formatEstimate(preset.estimated_ms)}`),
            ),
          ),
        ),
      );
    },
  };
}
