/** Numbers and times as text. Pure: no clock, no locale, no page. Three significant digits throughout. */

const nothing = "–";
const narrow_space = "\u202f";

/**
 * @param {number|null|undefined} value
 * @returns {value is number}
 */
const isFigure = (value) => typeof value === "number" && Number.isFinite(value);

/**
 * Three significant digits without an exponent; from 1000 up, every digit with grouping.
 * @param {number|null|undefined} value
 */
export function formatNumber(value) {
  if (!isFigure(value)) return nothing;
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(3));
  if (Math.abs(rounded) >= 1000) return formatCount(rounded);
  const decimals = Math.min(9, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded)))));
  return rounded.toFixed(decimals);
}

/**
 * A cost per message: what is rarer than one in a thousand is only called rare.
 * @param {number|null|undefined} value
 */
export function formatPerMessage(value) {
  if (!isFigure(value)) return nothing;
  if (value === 0 || value >= 0.1) return formatNumber(value);
  return value < 0.001 ? "<0.001" : value.toFixed(3);
}

/**
 * A whole number, its thousands set apart.
 * @param {number|null|undefined} value
 */
export function formatCount(value) {
  if (!isFigure(value)) return nothing;
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, narrow_space);
}

/**
 * @param {number|null|undefined} value
 * @param {[number, string][]} units  ascending; the unit is chosen after rounding, so 999.6 ns is 1.00 µs
 */
function formatScaled(value, units) {
  if (!isFigure(value)) return nothing;
  const rounded = Math.abs(Number(value.toPrecision(3)));
  let unit = units[0];
  for (const candidate of units) if (rounded >= candidate[0]) unit = candidate;
  return `${formatNumber(value / unit[0])} ${unit[1]}`;
}

/** @param {number|null|undefined} ns */
export function formatNs(ns) {
  return formatScaled(ns, [
    [1, "ns"],
    [1e3, "µs"],
    [1e6, "ms"],
    [1e9, "s"],
  ]);
}

/**
 * A size in bytes, in binary units when it is a round number of them.
 * @param {number|null|undefined} bytes
 */
export function formatBytes(bytes) {
  if (!isFigure(bytes)) return nothing;
  for (const [factor, unit] of /** @type {[number, string][]} */ ([
    [1024 ** 3, "GiB"],
    [1024 ** 2, "MiB"],
    [1024, "KiB"],
  ])) {
    if (bytes >= factor) {
      const text = formatNumber(bytes / factor);
      return `${text.includes(".") ? text.replace(/\.?0+$/, "") : text} ${unit}`;
    }
  }
  return `${formatCount(bytes)} B`;
}

/** @param {number|null|undefined} bytes_per_s  decimal units, as rates are everywhere */
export function formatByteRate(bytes_per_s) {
  return formatScaled(bytes_per_s, [
    [1, "B/s"],
    [1e3, "kB/s"],
    [1e6, "MB/s"],
    [1e9, "GB/s"],
  ]);
}

/**
 * The figure of a column whose head says GB/s.
 * @param {number|null|undefined} bytes_per_s
 */
export function formatGigabytes(bytes_per_s) {
  return isFigure(bytes_per_s) ? formatNumber(bytes_per_s / 1e9) : nothing;
}

/** @param {number|null|undefined} messages_per_s */
export function formatMessageRate(messages_per_s) {
  return formatScaled(messages_per_s, [
    [1, "/s"],
    [1e3, "k/s"],
    [1e6, "M/s"],
    [1e9, "G/s"],
  ]);
}

/**
 * A rate that was asked for, as short as it can be written: 5 k/s.
 * @param {number|null|undefined} hz
 */
export function formatOfferedRate(hz) {
  const text = formatMessageRate(hz);
  return text.includes(".") ? text.replace(/\.?0+(?= )/, "") : text;
}

/**
 * `low–high unit`; the unit stands once if both ends have it.
 * @param {import("./types.js").MaybeEstimate} estimate
 * @param {(value: number|null|undefined) => string} format
 */
export function formatInterval(estimate, format) {
  if (!estimate || estimate.low === null || estimate.high === null) return "no interval";
  const [low, high] = [format(estimate.low), format(estimate.high)];
  const [figure, unit] = low.split(" ");
  if (low === high) return low;
  return unit !== undefined && high.endsWith(` ${unit}`) ? `${figure}–${high}` : `${low} – ${high}`;
}

/** @param {number} part @param {number} whole */
export function formatPercent(part, whole) {
  return whole > 0 ? `${Math.floor((100 * Math.min(part, whole)) / whole)} %` : "0 %";
}

/**
 * A part of a whole, however small: 0.06 %.
 * @param {number|null|undefined} share
 */
export function formatShare(share) {
  if (!isFigure(share)) return nothing;
  return `${Number((100 * share).toPrecision(share < 0.1 ? 1 : 2))} %`;
}

/** @param {number|null|undefined} hz */
export function formatFrequency(hz) {
  return formatScaled(hz, [
    [1, "Hz"],
    [1e3, "kHz"],
    [1e6, "MHz"],
    [1e9, "GHz"],
  ]);
}

/**
 * A length of time for people: 8 s, 1 min 10 s, 2 h 5 min.
 * @param {number|null|undefined} ms
 */
export function formatSpan(ms) {
  if (!isFigure(ms)) return nothing;
  if (ms > 0 && ms < 950) return `${formatNumber(ms)} ms`;
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/**
 * Coarser than formatSpan, as an estimate deserves: steps of 5 s from 10 s, of 10 s from a minute, of minutes from ten.
 * @param {number|null|undefined} ms
 */
export function formatEstimate(ms) {
  if (!isFigure(ms)) return nothing;
  const step = ms < 10e3 ? 1e3 : ms < 60e3 ? 5e3 : ms < 600e3 ? 10e3 : 60e3;
  return formatSpan(Math.max(1e3, Math.round(ms / step) * step));
}

/**
 * Local date and time, 2026-03-14 09:26.
 * @param {number|null|undefined} ms
 */
export function formatTime(ms) {
  if (!isFigure(ms)) return nothing;
  const date = new Date(ms);
  /** @param {number} value */
  const two = (value) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function formatPlural(count, one, many = `${one}s`) {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/**
 * Reads `64`, `64 B`, `4k`, `64 KiB`, `1MiB`: always binary units, as sizes are shown.
 * @param {string} text
 * @returns {number|null}  null if it is not a size
 */
export function parseBytes(text) {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(?:([kmg])(?:i?b)?|b)?\s*$/i.exec(text);
  if (!match) return null;
  const power = match[2] ? "kmg".indexOf(match[2].toLowerCase()) + 1 : 0;
  const bytes = Number(match[1]) * 1024 ** power;
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/**
 * Reads `1000`, `20k`, `1.5M`: decimal, as rates are shown.
 * @param {string} text
 * @returns {number|null}  null if it is not a number
 */
export function parseCount(text) {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kM]?)\s*$/.exec(text);
  if (!match) return null;
  const count = Number(match[1]) * { "": 1, k: 1e3, M: 1e6 }[/** @type {""|"k"|"M"} */ (match[2])];
  return Number.isFinite(count) ? count : null;
}

/**
 * A moment of a lab: milliseconds, with as many decimals as tell it from its neighbours.
 * @param {number|null|undefined} ns
 * @param {number} [decimals]
 */
export function formatMoment(ns, decimals = 3) {
  if (!isFigure(ns)) return nothing;
  const [whole, part] = (ns / 1e6).toFixed(decimals).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, narrow_space);
  return `${part ? `${grouped}.${part}` : grouped} ms`;
}
