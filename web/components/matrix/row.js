/** One mechanism in the matrix. Its traits stay; its figures follow the runs. */

import { h, setAttribute, setChildren, setText } from "../../js/dom.js";
import { formatGigabytes, formatNs } from "../../js/format.js";
import { conditionsText } from "../../js/words.js";
import { createName } from "../marker/marker.js";
import { attachTip } from "../tip/tip.js";
import { createReach, describeFigure, directionText, endsText, figureHref, isMeasured } from "./cells.js";
import { createStrip } from "./strip.js";

/**
 * @typedef {import("../../js/figures.js").Figure} Figure
 * @typedef {import("../../js/types.js").Mechanism} Mechanism
 * @typedef {import("../../js/types.js").Sample} Sample
 *
 * @typedef {object} RowProps
 * @property {Mechanism} mechanism
 * @property {Figure|null} round_trip
 * @property {Figure|null} stream
 * @property {Sample|null} sample  of this mechanism, if it is being measured right now
 * @property {"round_trip"|"stream"|"other"|null} measuring
 * @property {import("./strip.js").Scale} scale
 * @property {number} fastest_bytes_per_s
 */

/**
 * A number that leads to the run it came from.
 * @param {string} title
 * @param {(figure: Figure) => string} format
 */
function createNumber(title, format) {
  /** @type {Figure|null} */
  let shown = null;
  const link = h("a", { class: "figure" });
  const provisional = h("span", { class: "figure provisional" });
  const element = h("td", { role: "cell", class: "number" });
  attachTip(link, () => shown && describeFigure(title, shown));
  return {
    element,
    /** @param {Figure|null} figure @param {string|null} now  provisional text */
    update(figure, now) {
      shown = figure;
      if (now !== null) {
        setText(provisional, now);
        if (element.firstChild !== provisional) setChildren(element, provisional);
      } else if (figure) {
        setText(link, isMeasured(figure) ? format(figure) : "failed");
        setAttribute(link, "class", isMeasured(figure) ? "figure" : "figure bad");
        setAttribute(link, "href", figureHref(figure));
        if (element.firstChild !== link) setChildren(element, link);
      } else {
        setChildren(element, h("span", { class: "muted" }, "–", h("span", { class: "visually-hidden" }, " not measured yet")));
      }
    },
  };
}

/** @param {Figure|null} figure @param {boolean} measuring */
function captionOf(figure, measuring) {
  if (measuring) return "measuring…";
  if (!figure) return "not measured yet";
  return isMeasured(figure) ? conditionsText(figure.case) : `no trial succeeded in run ${figure.run.id}`;
}

/** @param {string} label @param {import("../../js/dom.js").Child} content @param {string} [name] */
const cell = (label, content, name = "trait") => h("td", { role: "cell", class: name, "data-label": label }, content);

/**
 * @param {Mechanism} mechanism
 * @param {import("../../js/mechanisms.js").Look|undefined} look
 * @returns {{element: Element, update: (props: RowProps) => void}}
 */
export function createRow(mechanism, look) {
  const { traits } = mechanism;
  const element = h(
    "tr",
    { role: "row", class: "matrix-row", "data-mechanism": mechanism.name, "data-hue": look?.hue, "data-shade": look?.shade },
    h("th", { role: "rowheader", scope: "row" }, createName(look, mechanism.title)),
    cell("Reach", createReach(traits)),
    cell("Direction", directionText(traits)),
    cell("Ends", endsText(traits)),
    cell("Waits for data", traits.synchronises ? "yes" : "no"),
  );
  if (!mechanism.available) {
    element.classList.add("unavailable");
    element.append(h("td", { role: "cell", colspan: 4, class: "reason" }, `Not available here: ${mechanism.unavailable_reason ?? "no reason given"}`));
    return { element, update: () => {} };
  }

  const strip = h("div", { class: "strip-box-holder" });
  const strip_caption = h("div", { class: "conditions" });
  const bar_fill = h("div", { class: "bar-fill" });
  const bar = h("div", { class: "bar" }, bar_fill);
  const bar_caption = h("div", { class: "conditions" });
  const p50 = createNumber(mechanism.title, ({ case: one }) => formatNs(one.latency_ns?.p50?.value));
  const rate = createNumber(mechanism.title, ({ case: one }) => formatGigabytes(one.bytes_per_s?.value));
  element.append(
    h("td", { role: "cell", class: "strip-cell" }, strip, strip_caption),
    p50.element,
    h("td", { role: "cell", class: "bar-cell" }, bar, bar_caption),
    rate.element,
  );
  p50.element.dataset.label = "p50";
  rate.element.dataset.label = "GB/s";
  let drawn = "";

  return {
    element,
    update({ round_trip, stream, sample, measuring, scale, fastest_bytes_per_s }) {
      const now_ns = sample?.pattern === "round_trip" ? sample.latency_ns_p50 : null;
      const now_bytes_per_s = sample?.pattern === "stream" ? sample.bytes_per_s : null;

      const latency = now_ns === null ? (round_trip?.case.latency_ns ?? null) : { p50: { value: now_ns, low: null, high: null } };
      const drawing = JSON.stringify([scale, latency]);
      if (drawing !== drawn) setChildren(strip, createStrip(scale, latency));
      drawn = drawing;
      setText(strip_caption, captionOf(round_trip, measuring === "round_trip"));
      p50.update(round_trip, now_ns === null ? null : formatNs(now_ns));

      const bytes_per_s = now_bytes_per_s ?? stream?.case.bytes_per_s?.value ?? 0;
      bar_fill.style.width = `${fastest_bytes_per_s > 0 ? Math.min(100, (100 * bytes_per_s) / fastest_bytes_per_s) : 0}%`;
      setText(bar_caption, captionOf(stream, measuring === "stream"));
      rate.update(stream, now_bytes_per_s === null ? null : formatGigabytes(now_bytes_per_s));

      element.classList.toggle("measuring", measuring !== null);
      element.classList.toggle("provisional-latency", now_ns !== null);
      element.classList.toggle("provisional-rate", now_bytes_per_s !== null);
    },
  };
}
