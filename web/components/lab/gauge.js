/** How full a channel was all along, in bytes and in page slots, over the same times as the lanes; and how full it is now. */

import { h, setAttribute, setChildren, setText, svg } from "../../js/dom.js";
import { formatCount } from "../../js/format.js";
import { say } from "../../js/messages.js";

/**
 * @typedef {{used_bytes: number|null, capacity_bytes: number|null, used_slots: number|null, slots: number|null}} Level
 * @typedef {import("../../js/types.js").Panel} Panel
 */

const height_px = 120;
const margin_px = 18;
const boxes_max = 64;

/** @param {number|null|undefined} used @param {number|null|undefined} whole */
const share = (used, whole) => (typeof used === "number" && whole ? Math.min(1, used / whole) : null);

/** @param {Partial<Level>} level */
export function levelText({ used_bytes, capacity_bytes, used_slots, slots }) {
  const parts = [];
  if (typeof used_bytes === "number")
    parts.push(
      capacity_bytes
        ? say("gauge.bytes_of", { used: formatCount(used_bytes), whole: formatCount(capacity_bytes) })
        : say("gauge.bytes", { used: formatCount(used_bytes) }),
    );
  if (typeof used_slots === "number") {
    const kind = typeof used_bytes === "number" ? "slots" : "places";
    const used = formatCount(used_slots);
    parts.push(slots ? say(`gauge.${kind}_of`, { used, slots: formatCount(slots) }) : say(`gauge.${kind}`, { used }));
  }
  return parts.join(" · ");
}

/**
 * A level that stays until the next one is told.
 * @param {readonly Panel[]} history
 * @param {(level: Level) => number|null} part
 * @param {import("./lanes.js").Props} props
 */
function stepPath(history, part, { axis, width_px, now_ns }) {
  let path = "";
  let first = "0";
  for (const { at_ns, data } of history) {
    const level = part(data);
    if (level === null) continue;
    const x = (axis.place(at_ns) * width_px).toFixed(1);
    const y = (height_px - level * (height_px - margin_px)).toFixed(1);
    if (!path) first = x;
    path += path ? `H${x}V${y}` : `M${x} ${y}`;
  }
  return path && { line: `${path}H${(axis.place(now_ns) * width_px).toFixed(1)}`, first };
}

/** @param {Level} level */
function createBoxes({ used_slots, slots }) {
  if (!slots || slots > boxes_max) return null;
  return h(
    "span",
    { class: "slots", "aria-hidden": "true" },
    Array.from({ length: slots }, (_, i) => h("span", { class: i < (used_slots ?? 0) ? "slot full" : "slot" })),
  );
}

/** @param {string} kind @param {string} text */
const createKey = (kind, text) =>
  h(
    "span",
    {},
    svg("svg", { width: 22, height: 8, "aria-hidden": "true" }, svg("line", { class: kind, x1: 0, x2: 22, y1: 4, y2: 4 })),
    text,
  );

export function createGauge() {
  const drawing = svg("svg", { class: "gauge-drawing", height: height_px, role: "img" });
  const title = h("span", { class: "lane-worker" });
  const level = h("p", { class: "gauge-level" });
  const boxes = h("div", { class: "gauge-boxes" });
  const key = h(
    "div",
    { class: "gauge-key" },
    createKey("gauge-bytes", say("gauge.bytes_line")),
    createKey("gauge-slots", say("gauge.slots_line")),
  );
  const element = h(
    "div",
    { class: "lane gauge" },
    h(
      "div",
      { class: "lane-head" },
      title,
      level,
      boxes,
      key,
    ),
    h("div", { class: "lane-track" }, drawing),
  );
  return {
    element,
    /** @param {import("./lanes.js").Props} props @param {Level|null} shown  at the cursor */
    update(props, shown) {
      const history = props.timeline.panels.filter(({ panel }) => panel === "gauge");
      element.hidden = history.length === 0;
      if (element.hidden) return;
      const { width_px } = props;
      const bytes = stepPath(history, (one) => share(one.used_bytes, one.capacity_bytes), props);
      const slots = stepPath(history, (one) => share(one.used_slots, one.slots), props);
      const words = shown ? levelText(shown) : "";
      setText(level, words);
      key.hidden = !bytes || !slots;
      setText(title, say(bytes ? "gauge.title" : "gauge.queue"));
      setChildren(boxes, shown && createBoxes(shown));
      setAttribute(drawing, "width", width_px);
      setAttribute(drawing, "aria-label", `${title.textContent}: ${words}`);
      const full = history[history.length - 1].data;
      const full_text = say(
        !full.slots ? "gauge.full" : bytes ? "gauge.full_slots" : "gauge.full_places",
        { slots: full.slots },
      );
      const filled = bytes || slots;
      setChildren(
        drawing,
        svg("line", { class: "gauge-full", x1: 0, x2: width_px, y1: margin_px, y2: margin_px }),
        svg("text", { x: width_px - 4, y: margin_px - 5, "text-anchor": "end" }, full_text),
        svg("line", { class: "gauge-base", x1: 0, x2: width_px, y1: height_px - 0.5, y2: height_px - 0.5 }),
        filled && svg("path", { class: "gauge-area", d: `${filled.line}V${height_px}H${filled.first}Z` }),
        bytes && svg("path", { class: "gauge-bytes", d: bytes.line }),
        slots && svg("path", { class: bytes ? "gauge-slots" : "gauge-slots alone", d: slots.line }),
      );
    },
  };
}
