/** The comparison: every mechanism by what it can do and by what it costs on this machine. */

import { h, setChildren, setText, syncChildren } from "../../js/dom.js";
import { decadesOf, pickFigure, supportedQuantiles } from "../../js/figures.js";
import { formatBytes } from "../../js/format.js";
import { groupByFamily, looksOf } from "../../js/mechanisms.js";
import { createRow } from "./row.js";
import { createAxis } from "./strip.js";

/**
 * @typedef {import("../../js/figures.js").Figure} Figure
 * @typedef {import("../../js/figures.js").Choice} Choice
 * @typedef {import("../../js/types.js").Mechanism} Mechanism
 *
 * @typedef {object} Props
 * @property {readonly Mechanism[]} mechanisms
 * @property {readonly Figure[]} figures
 * @property {Choice} choice
 * @property {import("../../js/types.js").CurrentTrial|null} current
 * @property {import("../../js/types.js").Sample|null} sample
 */

/** @param {string} text @param {Record<string, string|number>} attributes @param {...import("../../js/dom.js").Child} more */
const head = (text, attributes = {}, ...more) => h("th", { role: "columnheader", scope: "col", ...attributes }, text, ...more);

export function createMatrix() {
  const axis = h("div", {});
  const round_trip_head = h("span", {});
  const stream_head = h("span", {});
  const body = h("tbody", { role: "rowgroup" });
  const sizes = h("p", { class: "matrix-sizes", "aria-hidden": "true" });
  const element = h(
    "div",
    { class: "card flush matrix", role: "region", "aria-label": "Mechanisms compared", tabindex: "0" },
    sizes,
    h(
      "table",
      { role: "table" },
      h("caption", { class: "visually-hidden" }, "Mechanisms, what they can do, and what they cost on this machine"),
      h(
        "thead",
        { role: "rowgroup" },
        h(
          "tr",
          { role: "row" },
          head("Mechanism"),
          head("Reach", { class: "nowrap" }, h("small", {}, "kin · host · net")),
          head("Direction"),
          head("Ends"),
          head("Waits", { class: "nowrap" }, h("small", {}, "for data?")),
          head("", { class: "strip-head" }, round_trip_head, h("small", { class: "legend" }, "tick p50, box to p90, line as far as supported"), axis),
          head("p50", { class: "number" }),
          head("", {}, stream_head, h("small", {}, "counted at the receiver")),
          head("GB/s", { class: "number" }),
        ),
      ),
      body,
    ),
  );

  /** @type {readonly Mechanism[]} */
  let catalogue = [];
  /** @type {{name: string, title: string, rows: (Mechanism|null)[]}[]} */
  let groups = [];
  /** @type {Map<string, import("../../js/mechanisms.js").Look>} */
  let looks = new Map();
  let axis_drawn = "";

  return {
    element,
    /** @param {Props} props */
    update({ mechanisms, figures, choice, current, sample }) {
      if (mechanisms !== catalogue) {
        catalogue = mechanisms;
        looks = looksOf(mechanisms);
        groups = groupByFamily(mechanisms).map((family) => ({ name: family.name, title: family.title, rows: [null, ...family.mechanisms] }));
      }
      const cells = new Map(
        mechanisms.map((one) => [one.name, { round_trip: pickFigure(figures, one.name, "round_trip", choice), stream: pickFigure(figures, one.name, "stream", choice) }]),
      );
      const now = sample && (sample.pattern === "round_trip" ? choice.round_trip_bytes : choice.stream_bytes) === sample.message_bytes ? sample : null;
      const scale = decadesOf([...cells.values()].flatMap(({ round_trip }) => supportedQuantiles(round_trip?.case.latency_ns).map(({ estimate }) => estimate.value)).concat(now?.latency_ns_p50 ?? []));
      const fastest_bytes_per_s = Math.max(now?.bytes_per_s ?? 0, ...[...cells.values()].map(({ stream }) => stream?.case.bytes_per_s?.value ?? 0));

      setText(round_trip_head, `Round trip, ${formatBytes(choice.round_trip_bytes)}`);
      setText(stream_head, `Stream, ${formatBytes(choice.stream_bytes)}`);
      setText(sizes, `p50 of a round trip of ${formatBytes(choice.round_trip_bytes)}; stream of ${formatBytes(choice.stream_bytes)} messages`);
      if (axis_drawn !== JSON.stringify(scale)) setChildren(axis, createAxis(scale));
      axis_drawn = JSON.stringify(scale);

      /** @param {Mechanism} mechanism @returns {import("./row.js").RowProps} */
      const rowProps = (mechanism) => {
        const own = current?.mechanism === mechanism.name ? current : null;
        const bytes = own?.pattern === "round_trip" ? choice.round_trip_bytes : choice.stream_bytes;
        const measuring = !own ? null : own.pattern !== "paced" && own.message_bytes === bytes ? own.pattern : "other";
        const figure = cells.get(mechanism.name);
        return { mechanism, round_trip: figure?.round_trip ?? null, stream: figure?.stream ?? null, sample: now?.mechanism === mechanism.name ? now : null, measuring, scale, fastest_bytes_per_s };
      };
      syncChildren(
        body,
        groups.flatMap((group) => group.rows.map((row) => ({ group, row, props: row && rowProps(row) }))),
        ({ group, row }) => row?.name ?? `family ${group.name}`,
        ({ group, row }) => {
          if (!row) return { element: h("tr", { role: "row", class: "family" }, h("th", { role: "rowheader", scope: "rowgroup", colspan: 9 }, group.title)), update: () => {} };
          const created = createRow(row, looks.get(row.name));
          return { element: created.element, update: ({ props }) => props && created.update(props) };
        },
      );
    },
  };
}
