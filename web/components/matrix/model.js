/** The matrix as values: its rows in order, and the scales they share. Pure. */

import { decadesOf, pickFigure, supportedQuantiles } from "../../js/figures.js";
import { groupByFamily, isControl, legendOf } from "../../js/mechanisms.js";

/**
 * @typedef {import("../../js/figures.js").Figure} Figure
 * @typedef {import("../../js/figures.js").Choice} Choice
 * @typedef {import("../../js/mechanisms.js").Look} Look
 * @typedef {import("../../js/types.js").Mechanism} Mechanism
 * @typedef {import("../../js/types.js").Sample} Sample
 *
 * @typedef {object} Props
 * @property {readonly Mechanism[]} mechanisms
 * @property {readonly Figure[]} figures
 * @property {Choice} choice
 * @property {import("../../js/types.js").CurrentTrial|null} current
 * @property {Sample|null} sample
 * @property {Proofs|null} proofs
 *
 * @typedef {ReturnType<typeof import("../../js/criteria.js").proofsOf>} Proofs
 *
 * @typedef {object} MechanismRow
 * @property {Mechanism} mechanism
 * @property {Look} look
 * @property {Figure|null} round_trip
 * @property {Figure|null} stream
 * @property {{round_trip: number|null, stream: number|null}} longest_bytes  of its messages, where a column asks for more
 * @property {Sample|null} sample  of this mechanism, if it is being measured right now
 * @property {"round_trip"|"stream"|"other"|null} measuring  other: something that has no column here
 * @property {import("./strip.js").Scale} scale
 * @property {number} fastest_bytes_per_s  of all that carries data; a control may be beyond it
 * @property {Proofs|null} proofs  not known yet: null
 *
 * @typedef {import("../../js/mechanisms.js").Family} Family
 * @typedef {{key: string, family: Family, row: null}|{key: string, family: null, row: MechanismRow}} Row
 */

/** @param {Mechanism} mechanism @param {number} asked_bytes */
const longestBelow = ({ message_bytes_max }, asked_bytes) => (message_bytes_max < asked_bytes ? message_bytes_max : null);

/** @param {Choice} choice @param {{pattern: string, message_bytes: number}} one */
function hasColumn(choice, { pattern, message_bytes }) {
  if (pattern === "round_trip") return message_bytes === choice.round_trip_bytes;
  return pattern === "stream" && message_bytes === choice.stream_bytes;
}

/** @param {Props} props @param {string} mechanism @returns {MechanismRow["measuring"]} */
function measuringOf({ current, choice }, mechanism) {
  if (current?.mechanism !== mechanism) return null;
  return current.pattern !== "paced" && hasColumn(choice, current) ? current.pattern : "other";
}

/**
 * @param {Props} props
 * @returns {{rows: Row[], scale: import("./strip.js").Scale}}
 */
export function modelOf(props) {
  const { mechanisms, figures, choice, proofs } = props;
  const legend = legendOf(mechanisms);
  const sample = props.sample && hasColumn(choice, props.sample) ? props.sample : null;
  const cells = mechanisms.map((mechanism) => ({
    mechanism,
    look: legend.lookOf(mechanism.name),
    round_trip: pickFigure(figures, mechanism.name, "round_trip", choice),
    stream: pickFigure(figures, mechanism.name, "stream", choice),
    longest_bytes: {
      round_trip: longestBelow(mechanism, choice.round_trip_bytes),
      stream: longestBelow(mechanism, choice.stream_bytes),
    },
    sample: sample?.mechanism === mechanism.name ? sample : null,
    measuring: measuringOf(props, mechanism.name),
  }));

  const latencies = cells.flatMap(({ round_trip }) => supportedQuantiles(round_trip?.case.latency_ns));
  const scale = decadesOf([...latencies.map(({ estimate }) => estimate.value), sample?.latency_p50_ns ?? 0]);
  const carriers = cells.filter(({ mechanism }) => !isControl(mechanism));
  const rates = carriers.map(({ stream, sample: now }) =>
    Math.max(stream?.case.bytes_per_s?.value ?? 0, now?.bytes_per_s ?? 0),
  );
  const fastest_bytes_per_s = Math.max(0, ...rates);

  const by_name = new Map(cells.map((cell) => [cell.mechanism, { ...cell, scale, fastest_bytes_per_s, proofs }]));
  const rows = groupByFamily(mechanisms).flatMap((family) => [
    /** @type {Row} */ ({ key: `family ${family.name}`, family, row: null }),
    ...family.mechanisms.flatMap((one) => {
      const row = by_name.get(one);
      return row ? /** @type {Row[]} */ ([{ key: one.name, family: null, row }]) : [];
    }),
  ]);
  return { rows, scale };
}
