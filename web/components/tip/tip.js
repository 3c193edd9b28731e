/** One tooltip for the whole page, for figures that have more to say. It shows on hover and on focus; Escape hides it. */

import { h, setChildren } from "../../js/dom.js";

const edge_px = 8;

/** @type {HTMLElement|null} */
let tip = null;
/** @type {Element|null} */
let owner = null;

function hide() {
  owner?.removeAttribute("aria-describedby");
  owner = null;
  if (tip?.matches(":popover-open")) tip.hidePopover();
}

/** Beside its owner: above it where there is room. */
function place() {
  if (!tip || !owner) return;
  const anchor = owner.getBoundingClientRect();
  const box = tip.getBoundingClientRect();
  const left = Math.min(
    Math.max(edge_px, anchor.left + anchor.width / 2 - box.width / 2),
    innerWidth - box.width - edge_px,
  );
  const above = anchor.top - box.height - edge_px;
  tip.style.left = `${left}px`;
  tip.style.top = `${above > edge_px ? above : anchor.bottom + edge_px}px`;
}

/**
 * @param {Element} element
 * @param {import("../../js/dom.js").Child[]} content
 */
export function showTip(element, content) {
  hide();
  if (!tip) {
    tip = h("div", { class: "tip", id: "tip", role: "tooltip", popover: "manual" });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
    });
    // The focus scrolls what it goes to into view: that must not hide the tip it has just shown.
    document.addEventListener("scroll", () => (owner === document.activeElement ? place() : hide()), {
      capture: true,
      passive: true,
    });
  }
  // Inside a modal dialog only its own descendants can be seen and read.
  (element.closest("dialog") ?? document.body).append(tip);
  setChildren(tip, content);
  owner = element;
  element.setAttribute("aria-describedby", "tip");
  tip.showPopover();
  place();
}

/**
 * @param {Element} element
 * @param {() => import("../../js/dom.js").Child[]|null} describe  null: nothing to say now
 */
export function attachTip(element, describe) {
  const show = () => {
    const content = describe();
    if (content) showTip(element, content);
  };
  const leave = () => {
    if (owner === element) hide();
  };
  element.addEventListener("pointerenter", show);
  element.addEventListener("focus", show);
  element.addEventListener("pointerleave", leave);
  element.addEventListener("blur", leave);
}

export { hide as hideTip };
