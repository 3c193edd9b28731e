/**
 * A button that opens a short list of links and actions. The list is a popover of the page, so that no scrolling table
 * cuts it off; Escape and a click elsewhere close it, and the focus goes back to the button.
 *
 * @typedef {{text: string, href?: string, download?: boolean, danger?: boolean, act?: () => void}} MenuItem
 */

import { h } from "../../js/dom.js";

const edge_px = 8;

/**
 * @param {string} text
 * @param {string} label
 * @param {() => MenuItem[]} items
 */
export function createMenu(text, label, items) {
  const button = h(
    "button",
    { type: "button", class: "small quiet", "aria-label": label, "aria-haspopup": "true", onclick: open },
    text,
  );

  function open() {
    const list = h(
      "ul",
      { class: "menu", popover: "auto", "aria-label": label },
      items().map((item) =>
        h(
          "li",
          {},
          createItem(item, () => list.hidePopover()),
        ),
      ),
    );
    button.after(list);
    list.addEventListener("toggle", (event) => {
      if (/** @type {any} */ (event).newState === "closed") list.remove();
    });
    list.showPopover();
    const anchor = button.getBoundingClientRect();
    const box = list.getBoundingClientRect();
    const below = anchor.bottom + 4;
    list.style.left = `${Math.max(edge_px, Math.min(anchor.right - box.width, innerWidth - box.width - edge_px))}px`;
    list.style.top = `${below + box.height > window.innerHeight - edge_px ? Math.max(edge_px, anchor.top - box.height - 4) : below}px`;
    /** @type {HTMLElement|null} */ (list.querySelector("a, button"))?.focus();
  }

  return button;
}

/** @param {MenuItem} item @param {() => void} close */
function createItem({ text, href, download, danger, act }, close) {
  if (href !== undefined) return h("a", { href, download: download ? "" : null, onclick: close }, text);
  const choose = () => {
    close();
    act?.();
  };
  return h("button", { type: "button", class: danger ? "danger" : null, onclick: choose }, text);
}
