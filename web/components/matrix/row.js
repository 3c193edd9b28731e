/** One mechanism in the matrix. Its traits stay; its figures follow the runs. */

import { h, setAttribute, setChildren, setText } from "../../js/dom.js";
import { formatBytes, formatCount, formatGigabytes, formatNs } from "../../js/format.js";
import { isControl } from "../../js/mechanisms.js";
import { conditionsText } from "../../js/words.js";
import { createName } from "../marker/marker.js";
import { attachTip } from "../tip/tip.js";
import { createReach, describeFigure, directionText, endsText, figureHref, isMeasured } from "./cells.js";
import { createStrip } from "./strip.js";

/**
 * @typedef {import("../../js/figures.js").Figure} Figure
 * @typedef {import("../../js/types.js").Mechanism} Mechanism
 * @typedef {import("./model.js").MechanismRow} MechanismRow
 * @typedef {import("./model.js").Proofs} Proofs
 */

/**
 * A number that leads to the run it came from; while a trial goes on, its provisional value.
 * @param {string} title
 * @param {(figure: Figure) => string} format
 * @param {string} label  on a phone, where the columns have no head
 */
function createNumber(title, format, label) {
  /** @type {Figure|null} */
  let shown = null;
  const link = h("a", {});
  const provisional = h("span", { class: "figure provisional" });
  const absent = h("span", { class: "muted" }, "–", h("span", { class: "visually-hidden" }, " not measured yet"));
  const element = h("td", { role: "cell", class: "number", "data-label": label });
  attachTip(link, () => shown && describeFigure(title, shown));
  return {
    element,
    /** @param {Figure|null} figure @param {string|null} now  provisional */
    update(figure, now) {
      shown = figure;
      if (figure) {
        const kind = now !== null ? "provisional" : isMeasured(figure) ? "" : "bad";
        setText(link, now ?? (isMeasured(figure) ? format(figure) : "failed"));
        setAttribute(link, "class", `figure ${kind}`.trim());
        setAttribute(link, "href", figureHref(figure));
      }
      setText(provisional, now ?? "");
      const content = figure ? link : now !== null ? provisional : absent;
      if (element.firstChild !== content) setChildren(element, content);
    },
  };
}

/** Exact, since it may be little less than what is asked for. @param {number} bytes */
const limitText = (bytes) => (bytes % 1024 === 0 ? formatBytes(bytes) : `${formatCount(bytes)} B`);

/** @param {Figure|null} figure @param {boolean} measuring @param {number|null} longest_bytes  less than is asked for */
function captionOf(figure, measuring, longest_bytes) {
  if (measuring) return "measuring…";
  if (!figure) return longest_bytes === null ? "" : `messages up to ${limitText(longest_bytes)}`;
  return isMeasured(figure) ? conditionsText(figure.case) : `no trial succeeded in run ${figure.run.id}`;
}

/** @param {string} title */
function createLatency(title) {
  const strip = h("div", {});
  const caption = h("div", { class: "conditions" });
  const number = createNumber(title, ({ case: one }) => formatNs(one.latency_ns?.p50?.value), "p50");
  const drawing = h("td", { role: "cell", class: "strip-cell" }, strip, caption);
  let drawn = "";
  return {
    cells: [drawing, number.element],
    /** @param {MechanismRow} row */
    update({ round_trip, longest_bytes, sample, measuring, scale }) {
      const now_ns = sample?.pattern === "round_trip" ? sample.latency_p50_ns : null;
      const provisional = now_ns === null ? null : { p50: { value: now_ns, low: null, high: null } };
      const latency = provisional ?? round_trip?.case.latency_ns ?? null;
      const now = JSON.stringify([scale, latency]);
      if (now !== drawn) setChildren(strip, createStrip(scale, latency));
      drawn = now;
      drawing.classList.toggle("provisional", provisional !== null);
      setText(caption, captionOf(round_trip, measuring === "round_trip", longest_bytes.round_trip));
      number.update(round_trip, provisional && formatNs(now_ns));
    },
  };
}

/** @param {string} title */
function createRate(title) {
  const fill = h("div", { class: "bar-fill" });
  const caption = h("div", { class: "conditions" });
  const number = createNumber(title, ({ case: one }) => formatGigabytes(one.bytes_per_s?.value), "GB/s");
  const drawing = h("td", { role: "cell", class: "bar-cell" }, h("div", { class: "bar" }, fill), caption);
  return {
    cells: [drawing, number.element],
    /** @param {MechanismRow} row */
    update({ stream, longest_bytes, sample, measuring, fastest_bytes_per_s }) {
      const now = sample?.pattern === "stream" ? sample.bytes_per_s : null;
      const bytes_per_s = now ?? stream?.case.bytes_per_s?.value ?? 0;
      const percent = fastest_bytes_per_s > 0 ? (100 * bytes_per_s) / fastest_bytes_per_s : 0;
      fill.style.width = `${Math.min(100, percent)}%`;
      drawing.classList.toggle("beyond", percent > 100);
      drawing.classList.toggle("provisional", now !== null);
      setText(caption, captionOf(stream, measuring === "stream", longest_bytes.stream));
      number.update(stream, now === null ? null : formatGigabytes(now));
    },
  };
}

/**
 * What the mechanism can do; a trait that claims decide leads to them.
 * @param {Mechanism} mechanism
 */
function createTraits({ name, traits }) {
  /** @param {string} label @param {string} criterion @param {import("../../js/dom.js").Child} content */
  const create = (label, criterion, content) => {
    const cell = h("td", { role: "cell", class: "trait", "data-label": label }, content);
    const link = h("a", { class: "proof", title: "The claims that prove it" });
    return {
      cell,
      /** @param {Proofs|null} proofs */
      update(proofs) {
        const href = proofs?.hrefOf(name, criterion) ?? null;
        if (!href || link.isConnected) return;
        setAttribute(link, "href", href);
        link.append(...cell.childNodes);
        cell.append(link);
      },
    };
  };
  const traits_shown = [
    create("Reach", "reach", createReach(traits)),
    create("Direction", "direction", directionText(traits)),
    create("Ends", "count", endsText(traits)),
    create("Waits for data", "synchronises", traits.synchronises ? "yes" : "no"),
  ];
  return {
    cells: traits_shown.map(({ cell }) => cell),
    /** @param {Proofs|null} proofs */
    update: (proofs) => traits_shown.forEach((one) => one.update(proofs)),
  };
}

/**
 * @param {Mechanism} mechanism
 * @param {import("../../js/mechanisms.js").Look} look
 * @returns {{element: Element, update: (row: MechanismRow) => void}}
 */
export function createRow(mechanism, look) {
  const { name, title, available, unavailable_reason } = mechanism;
  const traits = createTraits(mechanism);
  const element = h(
    "tr",
    { role: "row", class: "matrix-row", "data-mechanism": name, "data-hue": look.hue, "data-shade": look.shade },
    h("th", { role: "rowheader", scope: "row" }, createName(look, title)),
    // What carries nothing has no reach and no direction, whatever loop it stands for.
    isControl(mechanism) ? h("td", { role: "cell", colspan: 4, class: "trait reason" }, "carries nothing across") : traits.cells,
  );
  if (!available) {
    const reason = `Not available here: ${unavailable_reason ?? "no reason given"}`;
    element.classList.add("unavailable");
    element.append(h("td", { role: "cell", colspan: 4, class: "reason" }, reason));
    return { element, update: ({ proofs }) => traits.update(proofs) };
  }
  const latency = createLatency(title);
  const rate = createRate(title);
  element.append(...latency.cells, ...rate.cells);
  return {
    element,
    update(row) {
      traits.update(row.proofs);
      latency.update(row);
      rate.update(row);
      element.classList.toggle("measuring", row.measuring !== null);
      element.classList.toggle("unmeasured", !row.round_trip && !row.stream && row.measuring === null);
    },
  };
}
