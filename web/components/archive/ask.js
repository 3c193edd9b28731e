/** Asking the archive something else begins at the first page of the answer. */

import { addressWith, navigateQuery } from "../../js/router.js";

/** @param {Record<string, string|null>} changes  to the address; null removes one */
export const askArchive = (changes) => navigateQuery({ cursor: null, ...changes });

/** The address of the list with other parameters. @param {Record<string, string|null>} changes */
export const archiveAddress = (changes) => addressWith({ cursor: null, ...changes });
