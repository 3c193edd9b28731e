/** How often each value came out, in as few rows as can be read. Pure. */

/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {{from: Answer, to: Answer, count: number}} Bin  one value, or integers from … to … inclusive */

const bins_max = 12;
/** So many numbers are listed as they are, however far apart they lie. */
const listed_max = 5;

/**
 * Counts values. Integers with too many values to list are put into even bins, of which none has both nothing, which is
 * zero, and a little.
 * @param {readonly {value: Answer, count: number}[]} counted
 * @returns {Bin[]}
 */
export function binsOf(counted) {
  /** @type {Map<Answer, number>} */
  const counts = new Map();
  for (const { value, count } of counted) counts.set(value, (counts.get(value) ?? 0) + count);
  const numbers = [...counts.keys()].filter((one) => typeof one === "number");
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const few = counts.size <= listed_max || high - low < bins_max;
  if (numbers.length !== counts.size || few) {
    const order = numbers.length === counts.size ? (/** @type {any} */ a, /** @type {any} */ b) => a[0] - b[0] : byCount;
    return [...counts].sort(order).map(([value, count]) => ({ from: value, to: value, count }));
  }
  const width = roundUp((high - low + 1) / bins_max);
  const first = Math.floor(low / width);
  const bins = Array.from({ length: Math.floor(high / width) - first + 1 }, (_, i) => ({
    from: low >= 0 ? Math.max(1, (first + i) * width) : (first + i) * width,
    to: (first + i + 1) * width - 1,
    count: 0,
  }));
  const nothing = low === 0 ? [{ from: 0, to: 0, count: counts.get(0) ?? 0 }] : [];
  for (const [value, count] of counts)
    if (value !== 0 || low < 0) bins[Math.floor(Number(value) / width) - first].count += count;
  return [...nothing, ...bins];
}

/** @param {[Answer, number]} a @param {[Answer, number]} b */
const byCount = ([, a], [, b]) => b - a;

/** The next width that reads well: 1, 2, 5, 10 … @param {number} width */
function roundUp(width) {
  const decade = 10 ** Math.floor(Math.log10(Math.max(1, width)));
  return [1, 2, 5, 10].map((one) => one * decade).find((one) => one >= width) ?? decade;
}

/** @param {Bin} bin @param {Answer|null|undefined} value */
export const holds = ({ from, to }, value) =>
  value === from || (typeof value === "number" && typeof from === "number" && value >= from && value <= Number(to));
