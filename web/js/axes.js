/** Places of ticks on an axis. Pure. */

/**
 * @typedef {object} ValueAxis
 * @property {number} low
 * @property {number} high
 * @property {number[]} ticks
 * @property {boolean} log
 */

const ratio_steps = [0.001, 0.01, 0.05, 0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 0.9, 0.95, 0.98];
const ratio_ticks = [...ratio_steps, 1, 1.02, 1.05, 1.1, 1.25, 1.5, 2, 3, 5, 10, 20, 100, 1000];
const ratio_ticks_max = 7;

/**
 * A log axis around 1 that holds all ratios, within limits: one wild interval must not squeeze all others.
 * @param {readonly number[]} ratios
 * @param {{least: number, most: number}} limits  how far from 1 it reaches at least and at most, e.g. 1.1 and 20
 * @returns {ValueAxis}
 */
export function ratioAxis(ratios, { least, most }) {
  const positive = ratios.filter((one) => one > 0 && Number.isFinite(one));
  const low = Math.max(Math.min(1 / least, ...positive) / 1.03, 1 / most);
  const high = Math.min(Math.max(least, ...positive) * 1.03, most);
  const inside = ratio_ticks.filter((tick) => tick >= low && tick <= high);
  const spread = Math.log(high / low) / ratio_ticks_max;
  // 1 always stands; from it outwards, whatever keeps its distance to the tick before.
  const up = thin(
    inside.filter((tick) => tick >= 1),
    spread,
  );
  const down = thin(inside.filter((tick) => tick <= 1).reverse(), spread);
  return { low, high, log: true, ticks: [...down.slice(1).reverse(), ...up] };
}

/** @param {number[]} ticks @param {number} spread  of logarithms */
function thin(ticks, spread) {
  /** @type {number[]} */
  const kept = [];
  for (const tick of ticks) {
    const last = kept[kept.length - 1];
    if (last === undefined || Math.abs(Math.log(tick / last)) >= spread) kept.push(tick);
  }
  return kept;
}

/**
 * A log axis for positive values that need not fill decades: ticks at the decades if they are enough for so wide a
 * range, else at 1, 2 and 5 of each.
 * @param {readonly number[]} values
 * @returns {ValueAxis}
 */
export function logAxis(values) {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return { low: 1, high: 10, log: true, ticks: [1, 10] };
  const low = Math.min(...positive) / 1.15;
  const high = Math.max(...positive) * 1.15;
  const decades = Array.from(
    { length: Math.ceil(Math.log10(high)) - Math.floor(Math.log10(low)) + 1 },
    (_, i) => 10 ** (Math.floor(Math.log10(low)) + i),
  );
  const wide = Math.log10(high / low) > 2.5;
  for (const steps of wide ? [[1], [1, 2, 5]] : [[1, 2, 5]]) {
    const ticks = decades.flatMap((decade) => steps.map((step) => step * decade));
    const inside = ticks.filter((tick) => tick >= low && tick <= high);
    if (inside.length >= 3) return { low, high, log: true, ticks: inside };
  }
  // Within a step there may be one tick or none: then round values between the ends.
  const round = linearAxis([low, high]).ticks.filter((tick) => tick >= low && tick <= high);
  return { low, high, log: true, ticks: round };
}

/**
 * A linear axis from the round value below the least to the one above the largest.
 * @param {readonly number[]} values
 * @returns {ValueAxis}
 */
export function linearAxis(values) {
  const finite = values.filter(Number.isFinite);
  const [least, most] = finite.length > 0 ? [Math.min(...finite), Math.max(...finite)] : [0, 1];
  const step = roundStep((most - least || Math.abs(most) || 1) / 5);
  const first = Math.floor(least / step);
  const last = Math.max(first + 1, Math.ceil(most / step));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return { low: ticks[0], high: ticks[ticks.length - 1], log: false, ticks };
}

/** The next of 1, 2, 5 × a power of ten. @param {number} width */
function roundStep(width) {
  const decade = 10 ** Math.floor(Math.log10(width));
  return /** @type {number} */ (([1, 2, 5, 10].find((step) => step * decade >= width * 0.999)) ?? 10) * decade;
}
