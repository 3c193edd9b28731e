/** Bytes as rows of sixteen, the marked ones told apart. Pure. */

/**
 * @typedef {{from: number, to: number, label: string}} Mark  from the first byte to the one after the last
 * @typedef {{text: string, printed: string, mark: number|null}} Cell  mark: index into the marks
 * @typedef {{offset: string, cells: Cell[]}|{skipped: number}} Row  skipped: rows that repeat the one before
 */

const row_bytes = 16;

/** @param {number} byte */
const printable = (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·");

/** @param {string} hex */
function bytesOf(hex) {
  const digits = hex.replace(/\s+/g, "");
  return Array.from({ length: digits.length >> 1 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/**
 * Where a dump begins: an address as it was told, or zero.
 * @param {string|number|null|undefined} address
 */
const startOf = (address) => (address === null || address === undefined ? 0n : BigInt(address));

/**
 * @param {string} hex
 * @param {readonly Mark[]} marks
 * @param {string|number|null} [address]
 * @returns {Row[]}
 */
export function rowsOf(hex, marks, address = null) {
  const bytes = bytesOf(hex);
  const start = startOf(address);
  /** @param {number} at */
  const markOf = (at) => {
    const found = marks.findIndex(({ from, to }) => at >= from && at < to);
    return found < 0 ? null : found;
  };
  /** @type {Row[]} */
  const rows = [];
  let before = "";
  for (let at = 0; at < bytes.length; at += row_bytes) {
    const part = bytes.slice(at, at + row_bytes);
    const cells = part.map((byte, i) => ({
      text: byte.toString(16).padStart(2, "0"),
      printed: printable(byte),
      mark: markOf(at + i),
    }));
    const now = JSON.stringify(cells);
    const last = rows[rows.length - 1];
    const ends = at + row_bytes >= bytes.length;
    if (now === before && !ends) {
      if (last && "skipped" in last) last.skipped++;
      else rows.push({ skipped: 1 });
      continue;
    }
    before = now;
    rows.push({ offset: (start + BigInt(at)).toString(16).padStart(address === null ? 4 : 12, "0"), cells });
  }
  return rows;
}
