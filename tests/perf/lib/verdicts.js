/**
 * The verdicts of GET compare, looked at by who knows that nothing differs.
 */

/** Nobody's regression is smaller: server/analysis/compare.h. */
export const change_min = 0.02;
const alpha = 0.05;

/** @param {any} verdict */
export const nameOf = ({ mechanism, pattern, message_bytes }) => `${mechanism} ${pattern} ${message_bytes} B`;

/** @param {any} verdict */
export const isDifferent = ({ verdict }) => verdict === "faster" || verdict === "slower";

/** Would it be called different if nothing were known of the machine's noise? @param {any} verdict */
export function isDifferentAlone({ ratio, low, high, p_adjusted, reason }) {
  if (reason !== null || p_adjusted === null || low === null) return false;
  return p_adjusted < alpha && (low > 1 || high < 1) && Math.max(ratio, 1 / ratio) >= 1 + change_min;
}
