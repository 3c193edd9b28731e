/** Asking the archive something else begins at the first page of the answer. */

import { navigateQuery } from "../../js/router.js";

/** @param {Record<string, string|null>} changes  to the address; null removes one */
export const askArchive = (changes) => navigateQuery({ ...changes, cursor: null });

/**
 * The address of the list with another parameter.
 * @param {Record<string, string|null>} changes
 */
export function archiveAddress(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries({ cursor: null, ...changes })) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString().replaceAll("%2C", ",");
  return text ? `/runs?${text}` : "/runs";
}
