/** The runs ticked for a comparison, at the foot of the page while there are any. */

import { selected_max, selected_min, withSelected } from "../../js/archive.js";
import { compareAddress } from "../../js/compare.js";
import { h, renewChildren, setText } from "../../js/dom.js";
import { formatPlural } from "../../js/format.js";
import { navigateQuery } from "../../js/router.js";

export function createSelection() {
  const count = h("strong", {});
  const list = h("ul", { class: "row archive-selected" });
  const hint = h("span", { class: "muted" });
  const compare = h("a", { class: "button primary-link" }, "Compare");
  const element = h(
    "div",
    { class: "archive-selection no-print", role: "region", "aria-label": "Selected runs", hidden: true },
    h("span", { role: "status" }, count),
    list,
    hint,
    h("span", { class: "grow" }),
    compare,
    h("button", { type: "button", class: "quiet", onclick: () => navigateQuery({ selected: null }) }, "Clear"),
  );
  return {
    element,
    /** @param {readonly number[]} selected */
    update(selected) {
      element.hidden = selected.length === 0;
      setText(count, `${formatPlural(selected.length, "run")} selected`);
      renewChildren(
        list,
        selected.map((id, place) =>
          h(
            "li",
            { class: place === 0 ? "chip active" : "chip" },
            place === 0 ? `#${id}, the base` : `#${id}`,
            h(
              "button",
              {
                type: "button",
                class: "archive-leave",
                "aria-label": `Leave run ${id} out`,
                onclick: () => navigateQuery({ selected: withSelected(selected, id, false) }),
              },
              "✕",
            ),
          ),
        ),
      );
      const few = selected.length < selected_min;
      compare.hidden = few;
      compare.href = few ? "" : compareAddress(selected);
      setText(
        hint,
        few ? "Tick what to hold against it." : selected.length === selected_max ? "No more than nine at once." : "",
      );
    },
  };
}
