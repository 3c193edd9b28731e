/** Comma-separated values (RFC 4180). Pure. */

/** @param {string|number|null|undefined} value */
function fieldText(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * @param {readonly string[]} heads
 * @param {readonly (readonly (string|number|null|undefined)[])[]} rows
 */
export const csvText = (heads, rows) =>
  [heads, ...rows].map((row) => row.map(fieldText).join(",")).join("\r\n") + "\r\n";
