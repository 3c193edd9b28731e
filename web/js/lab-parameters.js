/** What a lab may be asked: its parameters from the address, their bounds, and the address that says all of them. Pure. */

import { say } from "./messages.js";

/**
 * @typedef {import("./types.js").Lab} Lab
 * @typedef {import("./types.js").LabParameter} LabParameter
 * @typedef {import("./types.js").Parameters} Parameters
 * @typedef {import("./types.js").Answer} Answer
 */

/** @param {Lab} lab @returns {Parameters} */
export const defaultsOf = (lab) => Object.fromEntries(lab.parameters.map((one) => [one.name, one.default]));

/**
 * Reads a value as it was typed or stood in an address.
 * @param {Pick<LabParameter, "type"|"min"|"max"|"choices"> & {step?: number|null}} parameter
 * @param {string} text
 * @returns {{value: Answer|null, error: string|null}}  error: what would be allowed
 */
export function readValue({ type, min, max, step, choices }, text) {
  if (type === "boolean") {
    const value = { true: true, false: false }[text];
    return value === undefined ? { value: null, error: "true, false" } : { value, error: null };
  }
  if (type === "choice") {
    const choice = choices?.find((one) => String(one.value) === text);
    return choice
      ? { value: choice.value, error: null }
      : { value: null, error: (choices ?? []).map((one) => String(one.value)).join(", ") };
  }
  if (type === "text") {
    const allowed = /^[ -~]*$/.test(text) && text.length >= (min ?? 0) && text.length <= (max ?? Infinity);
    return allowed ? { value: text, error: null } : { value: null, error: `${min ?? ""} – ${max ?? ""}` };
  }
  const value = /^\s*-?\d+\s*$/.test(text) ? Number(text) : NaN;
  const within = Number.isSafeInteger(value) && value >= (min ?? -Infinity) && value <= (max ?? Infinity);
  const allowed = within && value % (step ?? 1) === 0;
  return allowed ? { value, error: null } : { value: null, error: `${min ?? ""} – ${max ?? ""}` };
}

/**
 * The parameters an address asks for. What it does not name, or names wrongly, has its default.
 * @param {Lab} lab
 * @param {URLSearchParams} query
 * @returns {Parameters}
 */
export function parametersOf(lab, query) {
  const asked = lab.parameters.map((one) => {
    const text = query.get(one.name);
    return [one.name, (text === null ? null : readValue(one, text).value) ?? one.default];
  });
  return Object.fromEntries(asked);
}

/**
 * The address of a lab with every parameter in it.
 * @param {Lab} lab
 * @param {Parameters} parameters
 * @param {Record<string, string>} [more]
 */
export function permalinkOf(lab, parameters, more = {}) {
  const search = new URLSearchParams(lab.parameters.map(({ name }) => [name, String(parameters[name])]));
  for (const [name, value] of Object.entries(more)) search.set(name, value);
  const text = search.toString();
  return `/labs/${lab.name}${text ? `?${text}` : ""}`;
}

/** @param {Lab} lab @param {Parameters} a @param {Parameters} b */
export const sameParameters = (lab, a, b) => lab.parameters.every(({ name }) => a[name] === b[name]);

/**
 * How a value reads: a choice by its title.
 * @param {{choices: import("./types.js").Choice[]|null}|undefined} of
 * @param {Answer|null|undefined} value
 */
export function answerText(of, value) {
  if (value === null || value === undefined) return "–";
  const choice = of?.choices?.find((one) => one.value === value);
  if (choice) return choice.title;
  if (typeof value === "boolean") return say(value ? "setup.yes" : "setup.no");
  return typeof value === "number" ? groupDigits(value) : String(value);
}

/**
 * The same within a sentence: words stand between quotes.
 * @param {{choices: import("./types.js").Choice[]|null}} of
 * @param {Answer|null|undefined} value
 */
export const quotedAnswer = (of, value) => (of.choices ? `“${answerText(of, value)}”` : answerText(of, value));

/**
 * What one bound leaves of a parameter's range; `common/lab_range.h` says what each kind means.
 * @param {LabParameter} parameter
 * @param {import("./types.js").LabBound} bound
 * @param {Parameters} parameters
 * @returns {{min: number, max: number, choices: import("./types.js").Choice[]}}
 */
function narrow({ min, max, choices }, { kind, by, when, limit }, parameters) {
  const [range, other, number] = [{ min: min ?? 0, max: max ?? 0, choices: choices ?? [] }, parameters[by], Number(limit)];
  const applies = when.includes(String(other));
  const most = { max: applies ? number : Infinity, product: Math.floor(number / Number(other)), times: number * Number(other) };
  if (kind === "not") return applies ? { ...range, choices: range.choices.filter(({ value }) => value !== limit) } : range;
  if (kind === "share") return { ...range, min: Math.max(range.min, Math.ceil(Number(other) / number)) };
  return { ...range, max: Math.min(range.max, most[kind]) };
}

/**
 * What does not go together, each value being within its own range: as the server would refuse it.
 * @param {Lab} lab
 * @param {Parameters} parameters
 * @returns {import("./api.js").FieldError[]}
 */
export function refusalsOf(lab, parameters) {
  return lab.parameters.flatMap((parameter) => {
    const { name, type } = parameter;
    const value = parameters[name];
    for (const bound of parameter.bounds) {
      const { min, max, choices } = narrow(parameter, bound, parameters);
      const fits = type === "choice" ? choices.some((one) => one.value === value) : Number(value) >= min && Number(value) <= max;
      if (fits) continue;
      const allowed =
        type === "choice"
          ? choices.map(({ title }) => `“${title}”`).join(", ")
          : say("setup.range", { min: groupDigits(min), max: groupDigits(max) });
      const by = lab.parameters.find((one) => one.name === bound.by);
      const because = { by: by?.title ?? bound.by, value: answerText(by, parameters[bound.by]) };
      return [{ pointer: `/parameters/${name}`, detail: say("setup.narrowed", { allowed, ...because }) }];
    }
    return [];
  });
}

/** @param {number} value */
export const groupDigits = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/**
 * One step away from what was tried, and allowed: each choice not taken, each switch turned.
 * @param {Lab} lab
 * @param {Parameters} tried
 * @returns {{parameter: LabParameter, value: Answer, parameters: Parameters}[]}
 */
export function neighboursOf(lab, tried) {
  return lab.parameters.flatMap((parameter) => {
    const { name, type, choices } = parameter;
    const values =
      type === "boolean" ? [!tried[name]] : type === "choice" ? (choices ?? []).map((one) => one.value) : [];
    return values
      .filter((value) => value !== tried[name])
      .map((value) => ({ parameter, value, parameters: { ...tried, [name]: value } }))
      .filter((next) => refusalsOf(lab, next.parameters).length === 0);
  });
}

/**
 * A slider moves evenly where the range is small, by ratio where it is wide.
 * @param {{min: number|null, max: number|null}} range
 */
export function sliderOf({ min, max }) {
  const [low, high] = [min ?? 0, max ?? 100];
  const by_ratio = low >= 0 && high / Math.max(1, low) > 200;
  const steps = by_ratio ? 200 : Math.min(high - low, 200);
  const shift = by_ratio && low === 0 ? 1 : 0;
  /** @param {number} share */
  const at = (share) =>
    by_ratio ? (low + shift) * ((high + shift) / (low + shift)) ** share - shift : low + share * (high - low);
  return {
    steps,
    /** @param {number} step */
    valueAt: (step) => Math.min(high, Math.max(low, Math.round(at(step / Math.max(1, steps))))),
    /** @param {number} value */
    stepOf: (value) => {
      const share = by_ratio
        ? Math.log((value + shift) / (low + shift)) / Math.log((high + shift) / (low + shift))
        : (value - low) / (high - low || 1);
      return Math.round(Math.min(1, Math.max(0, share)) * steps);
    },
  };
}
