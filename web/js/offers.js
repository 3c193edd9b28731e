/**
 * What an experiment may say, read from the description the server serves, so that the form offers what this server
 * takes and no second list can fall behind. Pure.
 *
 * @typedef {import("./types.js").Pattern} Pattern
 * @typedef {{min: number, max: number}} Range
 *
 * @typedef {object} Offers
 * @property {Pattern[]} patterns
 * @property {string[]} memory_waits
 * @property {string[]} kernel_waits
 * @property {string[]} placements
 * @property {string[]} relations
 * @property {string[]} verifies
 * @property {Range} senders
 * @property {Range} receivers
 * @property {Range} rate_hz
 */

/**
 * Follows one $ref inside the document.
 * @param {any} description
 * @param {any} value
 * @returns {any}
 */
export function resolveReference(description, value) {
  const reference = value?.$ref;
  if (typeof reference !== "string" || !reference.startsWith("#/")) return value;
  return reference
    .slice(2)
    .split("/")
    .reduce((/** @type {any} */ part, key) => part?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], description);
}

/**
 * A schema and all it may be instead.
 * @param {any} description
 * @param {any} schema
 * @returns {any[]}
 */
function alternativesOf(description, schema) {
  const own = resolveReference(description, schema);
  if (!own) return [];
  return [own, ...[...(own.oneOf ?? []), ...(own.anyOf ?? [])].flatMap((one) => alternativesOf(description, one))];
}

/** @param {any} description */
function readerOf(description) {
  /** @param {string[]} path  of property names, from the experiment */
  const at = (...path) =>
    path.reduce(
      (schemas, name) =>
        schemas.flatMap((schema) =>
          schema.properties?.[name] ? alternativesOf(description, schema.properties[name]) : [],
        ),
      alternativesOf(description, description?.components?.schemas?.Experiment),
    );
  /** @param {string[]} path  leads to a value or a list of such values */
  const values = (...path) =>
    at(...path).flatMap((schema) => [schema, ...(schema.items ? alternativesOf(description, schema.items) : [])]);
  return {
    /** @param {string[]} path @returns {any[]} */
    words: (...path) => [
      ...new Set(values(...path).flatMap((one) => (one.enum ?? []).filter((/** @type {any} */ word) => word))),
    ],
    /** @param {string[]} path @returns {Range} */
    range: (...path) => {
      const bounded = values(...path).filter((one) => one.type !== "array" && one.maximum !== undefined);
      return {
        min: Math.min(...bounded.map((one) => one.minimum ?? 0), Infinity),
        max: Math.max(...bounded.map((one) => one.maximum), -Infinity),
      };
    },
  };
}

/**
 * @param {any} description  OpenAPI, as /api/v1/openapi.json
 * @returns {Offers}
 */
export function offersOf(description) {
  const { words, range } = readerOf(description);
  return {
    patterns: words("patterns"),
    memory_waits: words("wait", "memory"),
    kernel_waits: words("wait", "kernel"),
    placements: words("placement"),
    relations: words("relation"),
    verifies: words("verify"),
    senders: range("senders"),
    receivers: range("receivers"),
    rate_hz: range("rate_hz"),
  };
}
