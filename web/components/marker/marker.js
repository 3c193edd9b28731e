/** The sign of a mechanism: its shade and its shape, always beside its name. */

import { h, svg } from "../../js/dom.js";
import { markerPath, plain_look } from "../../js/mechanisms.js";

/** @typedef {import("../../js/mechanisms.js").Look} Look */

/** @param {Look} [look] */
function createMarker(look = plain_look) {
  return svg(
    "svg",
    {
      class: "marker",
      viewBox: "0 0 14 14",
      width: 14,
      height: 14,
      "aria-hidden": "true",
      "data-hue": look.hue,
      "data-shade": look.shade,
    },
    svg("path", { d: markerPath(look.shape, 7, 7, 5.2) }),
  );
}

/**
 * @param {Look} look
 * @param {string} title
 */
export function createName(look, title) {
  return h("span", { class: "mechanism-name" }, createMarker(look), h("span", {}, title));
}
