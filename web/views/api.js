/** The programming interface, drawn from the description the server serves. */

import { problemText } from "../js/actions.js";
import { getDescription } from "../js/api.js";
import { h, setChildren } from "../js/dom.js";
import { resolveReference as resolve } from "../js/offers.js";

const methods = ["get", "post", "put", "patch", "delete"];

/** @param {any} schema @returns {string} */
function typeText(schema) {
  if (!schema) return "";
  if (typeof schema.$ref === "string") return schema.$ref.split("/").pop() ?? "";
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.type === "array") return `array of ${typeText(schema.items) || "anything"}`;
  const type = Array.isArray(schema.type) ? schema.type.join(" | ") : (schema.type ?? "");
  const range = [
    schema.minimum !== undefined && `from ${schema.minimum}`,
    schema.maximum !== undefined && `to ${schema.maximum}`,
  ]
    .filter(Boolean)
    .join(" ");
  return [type, range].filter(Boolean).join(", ");
}

/** @param {any} content */
const firstMedia = (content) => Object.entries(content ?? {})[0] ?? [];

/**
 * @param {any} description
 * @param {string} method
 * @param {string} path
 * @param {any} operation
 */
function curlText(description, method, path, operation) {
  const base =
    location.origin + (description.servers?.[0]?.url ?? "").replace(/^https?:\/\/[^/]+/, "").replace(/\/$/, "");
  const filled = path.replace(/\{([^}]+)\}/g, (_, name) => (/id$/i.test(name) ? "1" : name.toUpperCase()));
  const [media, body] = firstMedia(resolve(description, operation.requestBody)?.content);
  const example = body?.example ?? /** @type {any} */ (Object.values(body?.examples ?? {})[0])?.value;
  const lines = [`curl -sS${method === "get" ? "" : ` -X ${method.toUpperCase()}`} '${base}${filled}'`];
  if (/event/.test(path)) lines[0] = lines[0].replace("-sS", "-sSN");
  if (method !== "get") lines.push(`-H 'Content-Type: ${media ?? "application/json"}'`);
  if (method === "patch") lines.push("-H 'If-Match: \"ETAG\"'");
  if (example !== undefined) lines.push(`-d '${JSON.stringify(example).replaceAll("'", "'\\''")}'`);
  return lines.join(" \\\n  ");
}

/**
 * @param {string} caption
 * @param {string[]} heads
 * @param {import("../js/dom.js").Child[][]} rows  the first cell names its row
 */
function createTable(caption, heads, rows) {
  return h(
    "div",
    { class: "scroll-x", role: "group", tabindex: "0", "aria-label": caption },
    h(
      "table",
      { class: "data-table" },
      h("caption", { class: "visually-hidden" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((text) => h("th", { scope: "col" }, text)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map(([name, ...cells]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, name),
            cells.map((cell) => h("td", {}, cell)),
          ),
        ),
      ),
    ),
  );
}

/** @param {any} description @param {any[]} parameters */
function createParameters(description, parameters) {
  const rows = parameters.map((one) => [
    h("code", {}, one.required ? `${one.name} (required)` : one.name),
    one.in,
    typeText(resolve(description, one.schema)),
    one.description ?? "",
  ]);
  return createTable("Parameters", ["Parameter", "In", "Type", "Meaning"], rows);
}

/** @param {any} description @param {any} responses */
function createAnswers(description, responses) {
  const rows = Object.entries(responses ?? {}).map(([status, value]) => {
    const answer = resolve(description, value);
    const [media, content] = firstMedia(answer?.content);
    return [status, answer?.description ?? "", [typeText(content?.schema), media].filter(Boolean).join(" as ")];
  });
  return createTable("Answers", ["Status", "Answer", "Type"], rows);
}

/**
 * @param {any} description
 * @param {string} method
 * @param {string} path
 * @param {any} item
 */
function createOperation(description, method, path, item) {
  const operation = item[method];
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((one) =>
    resolve(description, one),
  );
  const request = resolve(description, operation.requestBody);
  const [, body] = firstMedia(request?.content);
  const example = curlText(description, method, path, operation);
  return h(
    "details",
    { class: "operation", id: operation.operationId },
    h(
      "summary",
      {},
      h("span", { class: `verb ${method}` }, method.toUpperCase()),
      h("code", {}, path),
      h("span", { class: "muted" }, operation.summary ?? ""),
    ),
    h(
      "div",
      { class: "operation-body stack" },
      operation.description && h("p", { class: "prose" }, operation.description),
      parameters.length > 0 && createParameters(description, parameters),
      body &&
        h(
          "p",
          {},
          "Body: ",
          h("code", {}, typeText(body.schema) || "JSON"),
          request?.description && `. ${request.description}`,
        ),
      createAnswers(description, operation.responses),
      h("pre", { class: "code", tabindex: "0", "aria-label": "Example" }, example),
    ),
  );
}

/**
 * @param {any} description
 * @returns {HTMLElement[]}
 */
function createOperations(description) {
  /** @type {Map<string, HTMLElement[]>} */
  const groups = new Map();
  for (const [path, item] of Object.entries(description.paths ?? {})) {
    for (const method of methods) {
      if (!item[method]) continue;
      const group = item[method].tags?.[0] ?? "";
      groups.set(group, [...(groups.get(group) ?? []), createOperation(description, method, path, item)]);
    }
  }
  return [...groups].map(([name, operations]) =>
    h(
      "section",
      { class: "card flush operations" },
      name &&
        h(
          "div",
          { class: "card-head" },
          h("h2", {}, name.charAt(0).toUpperCase() + name.slice(1)),
          h(
            "small",
            { class: "muted" },
            description.tags?.find((/** @type {any} */ tag) => tag.name === name)?.description ?? "",
          ),
        ),
      operations,
    ),
  );
}

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountApi({ root, signal }) {
  const body = h("div", { class: "view" }, h("p", { class: "muted", role: "status" }, "Reading the description…"));
  root.append(
    h(
      "div",
      { class: "view-head" },
      h(
        "div",
        { class: "grow" },
        h("h1", { tabindex: "-1" }, "API"),
        h(
          "p",
          { class: "lead" },
          "All this page does goes through the same interface: JSON over HTTP, faults as problem+json, changes as server-sent events.",
        ),
      ),
      h("a", { class: "button small", href: "/api/v1/openapi.json" }, "openapi.json"),
    ),
    body,
  );
  getDescription(signal).then(
    (description) => setChildren(body, ...createOperations(description)),
    (error) => {
      if (!signal.aborted) setChildren(body, h("p", { class: "card", role: "alert" }, problemText(error)));
    },
  );
  return { title: "API" };
}
