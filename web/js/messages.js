/**
 * The words of the labs and claims, in the reader's language. A language is one file, messages/LANGUAGE.json; what it
 * lacks is taken from the English one. The parts `labs` and `claims` are filled in by the server, too; the page needs
 * them only for what it names in passing.
 */

const fallback = "en";

/** @typedef {{[key: string]: any}} Messages */

/** @type {Messages} */
let spoken = {};
/** @type {Promise<void>|null} */
let reading = null;

/**
 * One catalogue laid over another: what the upper one lacks shows through.
 * @param {Messages} upper
 * @param {Messages} lower
 * @returns {Messages}
 */
export function overlay(upper, lower) {
  const isPlain = (/** @type {unknown} */ one) => typeof one === "object" && one !== null && !Array.isArray(one);
  const entries = Object.entries(upper).map(([key, value]) => [
    key,
    isPlain(value) && isPlain(lower[key]) ? overlay(value, lower[key]) : value,
  ]);
  return { ...lower, ...Object.fromEntries(entries) };
}

/**
 * @param {string} text
 * @param {Record<string, string|number|boolean|null|undefined>} values
 */
export const fillIn = (text, values) =>
  text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));

/** @param {string} language @returns {Promise<Messages|null>}  null: there is no such catalogue */
async function read(language) {
  const response = await fetch(`/messages/${language}.json`).catch(() => null);
  return response?.ok ? response.json().catch(() => null) : null;
}

/**
 * The languages to ask for, the dearest first, up to the one that is always there.
 * @param {readonly string[]} wanted  as a browser names them
 */
export function languagesToTry(wanted) {
  const short = [...new Set(wanted.map((one) => one.slice(0, 2).toLowerCase()))].filter((one) => /^[a-z]{2}$/.test(one));
  return short.includes(fallback) ? short.slice(0, short.indexOf(fallback)) : short;
}

async function readAll() {
  const base = (await read(fallback)) ?? {};
  spoken = base;
  for (const language of languagesToTry(navigator.languages)) {
    const found = await read(language);
    if (!found) continue;
    spoken = overlay(found, base);
    return;
  }
}

/** Reads the catalogue once. */
export function loadMessages() {
  reading ??= readAll();
  return reading;
}

/** @param {string} path @returns {any} */
export const messageAt = (path) => path.split(".").reduce((part, key) => part?.[key], /** @type {any} */ (spoken));

/**
 * A sentence of the page. A key without a sentence shows itself, so that a gap is seen.
 * @param {string} key  below `page`
 * @param {Record<string, string|number|boolean|null|undefined>} [values]
 */
export function say(key, values = {}) {
  const text = messageAt(`page.${key}`);
  return typeof text === "string" ? fillIn(text, values) : key;
}

/**
 * A sentence with a number in it: `key.one`, or `key.many`, with {count}.
 * @param {string} key
 * @param {number} count
 * @param {Record<string, string|number|boolean|null|undefined>} [values]
 */
export const sayCount = (key, count, values = {}) =>
  say(`${key}.${count === 1 ? "one" : "many"}`, { count, ...values });

/**
 * Why what was asked for has not begun.
 * @param {string|null|undefined} what  as the server says it: "run 17", or "others"
 */
export function waitingText(what) {
  if (!what) return "";
  return what === "others" ? say("waiting.others") : say("waiting.run", { what });
}
