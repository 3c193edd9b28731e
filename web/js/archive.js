/** What the archive's address asks for. Pure, but for the time zone: days begin where the reader is. */

/** A base and up to eight others can be compared. */
export const selected_max = 9;
export const selected_min = 2;

const filter_names = ["state", "mechanism", "tag", "machine", "q", "since", "until"];

/** The first begins what stands in no address. */
export const sorts = ["-id", "id", "name"];

/**
 * Midnight of a day as written in the address, 2026-03-14.
 * @param {string|null} text
 * @param {number} days_later
 * @returns {number|null}  null if it is not a day
 */
export function dayMs(text, days_later = 0) {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? "");
  if (!match) return null;
  const [year, month, day] = match.slice(1).map(Number);
  const date = new Date(year, month - 1, day + days_later);
  return new Date(year, month - 1, day).getMonth() === month - 1 && date.getTime() >= 0 ? date.getTime() : null;
}

/**
 * The question to the server. A day that ends the search is still part of it.
 * @param {URLSearchParams} query
 * @returns {Record<string, string|number|null>}
 */
export function filtersOf(query) {
  const texts = ["state", "mechanism", "tag", "machine", "q"].map((name) => [name, query.get(name)]);
  return {
    ...Object.fromEntries(texts),
    since: dayMs(query.get("since")),
    until: dayMs(query.get("until"), 1),
    sort: sorts.find((one) => one === query.get("sort")) ?? null,
  };
}

/** @param {URLSearchParams} query */
export const isFiltered = (query) => filter_names.some((name) => query.get(name));

/** Runs ticked for a comparison, in the order they were ticked. @param {URLSearchParams} query @returns {number[]} */
export function selectionOf(query) {
  const ids = (query.get("selected") ?? "")
    .split(",")
    .flatMap((text) => (/^[1-9]\d{0,15}$/.test(text) ? Number(text) : []));
  return [...new Set(ids)].slice(0, selected_max);
}

/**
 * @param {readonly number[]} selected
 * @param {number} id
 * @param {boolean} on
 * @returns {string|null}  for the address
 */
export function withSelected(selected, id, on) {
  const others = selected.filter((one) => one !== id);
  return (on ? [...others, id].slice(0, selected_max) : others).join(",") || null;
}
