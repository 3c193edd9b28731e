/** Evidence and counters as text: the unit is in a field's name, or beside it. Exact: no digit is rounded away. */

import { formatCount, formatNs, formatNumber } from "./format.js";
import { messageAt, say } from "./messages.js";

/** @type {[RegExp, (value: number) => string][]} */
const units = [
  [/_ns$/, (value) => formatNs(value)],
  [/_us$/, (value) => `${formatNumber(value)} µs`],
  [/_ms$/, (value) => `${formatNumber(value)} ms`],
  [/_s$/, (value) => `${formatNumber(value)} s`],
  [/_bytes$/, (value) => `${formatCount(value)} B`],
  [/_ratio$/, (value) => `${formatNumber(value)} ×`],
  [/_percent$/, (value) => `${formatNumber(value)} %`],
  [/_count$/, (value) => formatCount(value)],
];

/** @param {number} value */
const plain = (value) => (Number.isInteger(value) ? formatCount(value) : formatNumber(value));

/**
 * @param {string} name  of the field
 * @param {unknown} value
 * @returns {string}
 */
export function evidenceText(name, value) {
  if (value === null && /_(errno|signal)$/.test(name)) return say(name.endsWith("_errno") ? "value.no_error" : "value.no_signal");
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return say(value ? "value.yes" : "value.no");
  if (typeof value === "number") return (units.find(([pattern]) => pattern.test(name))?.[1] ?? plain)(value);
  if (Array.isArray(value)) return value.map((one) => evidenceText(name, one)).join(", ") || "–";
  if (typeof value === "object")
    return Object.entries(value)
      .map(([key, one]) => `${evidenceName(key)} ${evidenceText(key, one)}`)
      .join(", ");
  return String(value);
}

/** What no catalogue names is told by its own name; the unit stands at the value. @param {string} name */
const nameInWords = (name) =>
  name
    .replace(/(?<!\d)_(ns|us|ms|s|bytes|percent|count|ratio)$/, "")
    .replaceAll("_", " ")
    .replace(/\bcpu(s?)\b/g, "CPU$1");

/** @param {string} name @returns {string} */
export const evidenceName = (name) => messageAt(`evidence.${name}`) ?? nameInWords(name);

/** @param {Record<string, unknown>} evidence */
export const evidenceRows = (evidence) =>
  Object.entries(evidence).map(([name, value]) => ({ name: evidenceName(name), value: evidenceText(name, value) }));

/**
 * @param {number} value
 * @param {string|null|undefined} unit  as a counter names it
 */
export function valueWithUnit(value, unit) {
  if (!unit) return plain(value);
  if (unit === "ns") return formatNs(value);
  if (unit === "bytes" || unit === "B") return `${formatCount(value)} B`;
  return `${plain(value)} ${unit}`;
}
