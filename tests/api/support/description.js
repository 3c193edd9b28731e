/**
 * The API's description as a judge: is this answer one that it allows?
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";

export const description = parse(readFileSync(new URL("../../../server/api/openapi.yaml", import.meta.url), "utf8"));

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema({ $id: "api", ...description });

/** @type {Map<string, import("ajv").ValidateFunction>} */
const validators = new Map();

/** @param {object} schema */
function validatorOf(schema) {
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/');
  const known = validators.get(text);
  if (known) return known;
  const validate = ajv.compile(JSON.parse(text));
  validators.set(text, validate);
  return validate;
}

/** @param {string} where @param {object} schema @param {unknown} value */
function assertValid(where, schema, value) {
  const validate = validatorOf(schema);
  assert.ok(validate(value), `${where} does not fit its schema: ${JSON.stringify(validate.errors?.slice(0, 4))} in ${JSON.stringify(value)?.slice(0, 2000)}`);
}

/** @param {string} name @param {unknown} value */
export function assertSchema(name, value) {
  assertValid(name, { $ref: `#/components/schemas/${name}` }, value);
}

/** @param {any} part */
export function resolve(part) {
  if (!part?.$ref) return part;
  const path = part.$ref.slice(2).split("/");
  return path.reduce((/** @type {any} */ at, /** @type {string} */ name) => at[name], description);
}

const templates = Object.keys(description.paths).map((path) => ({
  path,
  pattern: new RegExp(`^${path.replaceAll(".", "\\.").replace("{id}", "[1-9][0-9]*").replace("{name}", "[a-z0-9_]+")}$`),
}));

/** @param {string} method @param {string} path */
export function findOperation(method, path) {
  const template = templates.find(({ pattern }) => pattern.test(path));
  return template && description.paths[template.path][(method === "HEAD" ? "GET" : method).toLowerCase()];
}

const security = {
  "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/**
 * @param {string} method
 * @param {string} path  without the query
 * @param {{status: number, headers: any, text: string}} answer
 */
export function assertDescribed(method, path, { status, headers, text }) {
  const where = `${method} ${path} ${status}`;
  for (const [name, value] of Object.entries(security)) assert.equal(headers[name], value, `${where} ${name}`);
  const type = (headers["content-type"] ?? "").split(";")[0];
  const operation = findOperation(method, path);
  if (!operation) {
    if (status >= 400) {
      assert.equal(type, "application/problem+json", where);
      if (method !== "HEAD") assertSchema("Problem", JSON.parse(text));
    }
    return;
  }
  const response = resolve(operation.responses[status]);
  assert.ok(response, `${where} is not described`);
  for (const name of Object.keys(response.headers ?? {})) {
    if (name !== "Link") assert.ok(headers[name.toLowerCase()], `${where} lacks ${name}`);
  }
  if (!response.content) {
    assert.equal(text, "", `${where} has a body`);
    return;
  }
  assert.ok(response.content[type], `${where} has the type ${type}`);
  if (method !== "HEAD" && type.endsWith("json")) assertValid(where, response.content[type].schema, JSON.parse(text));
}
