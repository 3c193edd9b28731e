/** Pieces in their order, as wide as they are long, whole and torn told apart; and the same as a list. */

import { h, svg } from "../../js/dom.js";
import { formatCount } from "../../js/format.js";
import { say, sayCount } from "../../js/messages.js";

/**
 * @typedef {{label: string, bytes: number, torn: boolean}} Segment
 * @typedef {"torn"|"regrouped"} Marked  what is said of a piece that is marked: cut by another, or not the piece that was sent
 */

const drawn_max = 600;
const listed_max = 200;
const height_px = 34;

/** @param {{segments: Segment[], marked?: Marked}} data */
export function createStrip({ segments, marked = "torn" }) {
  const drawn = segments.slice(0, drawn_max);
  const whole = drawn.reduce((sum, { bytes }) => sum + bytes, 0) || 1;
  const senders = [...new Set(segments.map(({ label }) => label))];
  const torn = segments.filter((one) => one.torn).length;
  let at = 0;
  const pieces = drawn.map(({ label, bytes, torn: is_torn }) => {
    const [x, width] = [(100 * at) / whole, (100 * bytes) / whole];
    at += bytes;
    const place = { x: `${x.toFixed(3)}%`, width: `${Math.max(0.08, width).toFixed(3)}%` };
    return svg(
      "g",
      { class: is_torn ? "piece torn" : "piece", "data-mark": (senders.indexOf(label) % 4) + 1 },
      svg("rect", { ...place, y: is_torn ? 0 : 6, height: is_torn ? height_px : height_px - 12 }),
      width > 6 && svg("text", { x: `${(x + width / 2).toFixed(3)}%`, y: 21, "text-anchor": "middle" }, label),
    );
  });
  const pieces_counted = sayCount("strip.pieces", segments.length);
  const words = marked === "regrouped" && torn === 0 ? pieces_counted : `${pieces_counted}, ${sayCount(`strip.${marked}`, torn)}`;
  return [
    h("p", { class: "muted" }, words, segments.length > drawn_max ? ` ${say("strip.first", { count: drawn_max })}` : ""),
    svg("svg", { class: "strip-pieces", width: "100%", height: height_px, role: "img", "aria-label": words }, pieces),
    h(
      "details",
      {},
      h("summary", {}, say("strip.list")),
      h(
        "ol",
        { class: "strip-list mono" },
        segments
          .slice(0, listed_max)
          .map(({ label, bytes, torn: is_torn }) =>
            h("li", {}, `${label}: ${formatCount(bytes)} B`, is_torn && h("strong", { class: "bad" }, ` ${say(`strip.is_${marked}`)}`)),
          ),
      ),
    ),
  ];
}
