/**
 * Requests as a program would make them, with every answer held against the API's description.
 */
import assert from "node:assert/strict";
import { Agent, request as httpRequest } from "node:http";

import { assertDescribed, assertSchema } from "./description.js";

const host = "127.0.0.1";
const event_ms_max = 60000;
/** @type {Record<string, string>} */
const event_schemas = { run: "Run", trial: "TrialEvent", case: "CaseEvent", sample: "SampleEvent", run_deleted: "RunDeletedEvent", attempt: "AttemptSummary", attempt_deleted: "DeletedEvent", line: "LabLine", check: "Check", check_deleted: "DeletedEvent" };

export class Client {
  /** @param {number} port */
  constructor(port) {
    this.port = port;
    this.agent = new Agent({ keepAlive: true });
  }

  close() {
    this.agent.destroy();
  }

  /**
   * Headers whose value is null are left out; body may be an object or the bytes themselves.
   * @param {string} method
   * @param {string} target
   * @param {{body?: unknown, headers?: Record<string, string|string[]|null>}} [options]
   * @returns {Promise<{status: number, headers: any, text: string, json: any}>}
   */
  async request(method, target, { body, headers = {} } = {}) {
    const bytes = body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const all = { "Content-Type": ["GET", "HEAD"].includes(method) ? null : "application/json", ...headers };
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
    const answer = await new Promise((settle, fail) => {
      const outgoing = httpRequest({ host, port: this.port, method, path: target, headers: /** @type {any} */ (sent), agent: this.agent });
      outgoing.on("error", fail);
      outgoing.on("response", (incoming) => {
        /** @type {Buffer[]} */
        const chunks = [];
        incoming.on("data", (chunk) => chunks.push(chunk));
        incoming.on("error", fail);
        incoming.on("end", () => settle({ status: incoming.statusCode, headers: incoming.headers, bytes: Buffer.concat(chunks) }));
      });
      outgoing.end(bytes);
    });
    const text = answer.bytes.toString("utf8");
    const zipped = answer.headers["content-encoding"] === "gzip";
    if (!zipped) assertDescribed(method, target.split("?")[0], { ...answer, text });
    const is_json = !zipped && (answer.headers["content-type"] ?? "").includes("json") && text !== "";
    return { ...answer, text, json: is_json ? JSON.parse(text) : null };
  }

  /** @param {string} target @param {Record<string, string|string[]|null>} [headers] */
  get(target, headers) {
    return this.request("GET", target, { headers });
  }

  /** @param {string} target @param {unknown} [body] @param {Record<string, string|string[]|null>} [headers] */
  post(target, body, headers) {
    return this.request("POST", target, { body, headers });
  }

  /** @param {string} target @param {unknown} body @param {Record<string, string|null>} [headers] */
  patch(target, body, headers) {
    return this.request("PATCH", target, { body, headers });
  }

  /** @param {string} target @param {Record<string, string|null>} [headers] */
  delete(target, headers) {
    return this.request("DELETE", target, { headers });
  }

  /**
   * An open event stream.
   * @param {string} topics
   * @param {Record<string, string>} [headers]
   * @param {string} [query]
   * @returns {Promise<EventStream>}
   */
  stream(topics, headers = {}, query = "") {
    return new Promise((settle, fail) => {
      const outgoing = httpRequest({ host, port: this.port, path: `/api/v1/events?topics=${topics}${query}`, headers, agent: false });
      outgoing.on("error", fail);
      outgoing.on("response", (incoming) => {
        assert.equal(incoming.statusCode, 200);
        assert.equal(incoming.headers["content-type"], "text/event-stream");
        settle(new EventStream(outgoing, incoming));
      });
      outgoing.end();
    });
  }
}

export class EventStream {
  /** @param {import("node:http").ClientRequest} outgoing @param {import("node:http").IncomingMessage} incoming */
  constructor(outgoing, incoming) {
    this.outgoing = outgoing;
    this.incoming = incoming;
    /** @type {{id: string, event: string, data: any}[]} */
    this.events = [];
    this.last_id = "";
    this.comments = 0;
    this.ended = false;
    this.rest = "";
    /** @type {() => void} */
    this.notice = () => {};
    incoming.setEncoding("utf8");
    incoming.on("data", (chunk) => this.#take(chunk));
    incoming.on("error", () => {});
    incoming.on("close", () => {
      this.ended = true;
      this.notice();
    });
  }

  /** @param {string} chunk */
  #take(chunk) {
    const blocks = (this.rest + chunk).split("\n\n");
    this.rest = blocks.pop() ?? "";
    for (const block of blocks) {
      /** @type {Record<string, string>} */
      const fields = {};
      for (const line of block.split("\n")) {
        if (line.startsWith(":")) this.comments++;
        else fields[line.slice(0, line.indexOf(":"))] = line.slice(line.indexOf(":") + 2);
      }
      if (fields.id) this.last_id = fields.id;
      if (fields.data === undefined) continue;
      const event = { id: fields.id, event: fields.event, data: JSON.parse(fields.data) };
      if (event_schemas[event.event]) assertSchema(event_schemas[event.event], event.data);
      this.events.push(event);
    }
    this.notice();
  }

  /**
   * The first event that fits, of those that came and those to come; what was before it is dropped.
   * @param {(event: {id: string, event: string, data: any}) => boolean} [fits]
   */
  async next(fits = () => true) {
    const deadline = Date.now() + event_ms_max;
    for (;;) {
      const index = this.events.findIndex(fits);
      if (index >= 0) return this.events.splice(0, index + 1)[index];
      assert.ok(!this.ended, "the event stream ended");
      await this.#change(deadline, "no such event came");
    }
  }

  /** Until the server has ended it. */
  async end() {
    const deadline = Date.now() + event_ms_max;
    while (!this.ended) await this.#change(deadline, "the event stream did not end");
  }

  /** @param {number} deadline @param {string} failure */
  async #change(deadline, failure) {
    /** @type {NodeJS.Timeout|undefined} */
    let timer;
    await new Promise((settle, fail) => {
      this.notice = () => settle(undefined);
      timer = setTimeout(() => fail(new Error(failure)), deadline - Date.now());
    }).finally(() => clearTimeout(timer));
  }

  close() {
    this.outgoing.destroy();
  }
}
