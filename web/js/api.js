/**
 * The one door to the server. Every call answers parsed JSON or throws a Problem whose text can be shown as it is.
 *
 * @typedef {import("./types.js").Run} Run
 * @typedef {import("./types.js").Case} Case
 * @typedef {import("./types.js").Trial} Trial
 * @typedef {import("./types.js").Experiment} Experiment
 * @typedef {import("./types.js").Attempt} Attempt
 * @typedef {import("./types.js").Claim} Claim
 * @typedef {import("./types.js").Check} Check
 * @typedef {{pointer: string, detail: string}} FieldError
 */

const base = "/api/v1";

/** What went wrong, in the server's words where it sent any (RFC 9457). */
export class Problem extends Error {
  /**
   * @param {number} status  0: no answer at all
   * @param {string} title
   * @param {string} [detail]
   * @param {FieldError[]} [errors]
   */
  constructor(status, title, detail = "", errors = []) {
    super(detail || title);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
  }
}

/** @type {Record<number, string>} */
const readable = {
  429: "The server is busy. Try again in a moment.",
  503: "The server cannot take this now. Try again in a moment.",
  507: "The disk that holds the archive is full. Free some space; reading still works.",
};

/** @param {Response} response */
async function readProblem(response) {
  const body = await response.json().catch(() => null);
  const title = typeof body?.title === "string" ? body.title : `${response.status} ${response.statusText}`.trim();
  const detail = typeof body?.detail === "string" && body.detail ? body.detail : (readable[response.status] ?? "");
  return new Problem(response.status, title, detail, Array.isArray(body?.errors) ? body.errors : []);
}

/**
 * @param {string} method
 * @param {string} path  below /api/v1, or an absolute path
 * @param {{body?: unknown, raw?: Blob, headers?: Record<string, string>, signal?: AbortSignal}} [options]  raw: JSON
 *   that is sent as it is
 * @returns {Promise<{status: number, body: any, etag: string|null, location: string|null}>}
 */
async function request(method, path, { body, raw, headers = {}, signal } = {}) {
  /** @type {RequestInit} */
  const init = { method, headers: { Accept: "application/json", ...headers }, signal };
  if (method !== "GET") {
    init.headers = { ...init.headers, "Content-Type": "application/json" };
    if (raw) init.body = raw;
    else if (body !== undefined) init.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path.startsWith("/healthz") ? path : base + path, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "The server cannot be reached", "No answer from the server. Is ipclab still running?");
  }
  if (!response.ok) throw await readProblem(response);
  const text = response.status === 204 ? "" : await response.text();
  try {
    return {
      status: response.status,
      body: text ? JSON.parse(text) : null,
      etag: response.headers.get("ETag"),
      location: response.headers.get("Location"),
    };
  } catch {
    throw new Problem(response.status, "The server's answer is not JSON");
  }
}

/**
 * @param {Record<string, string|number|null|undefined>} parameters  empty values are left out
 */
function query(parameters) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

/** @param {AbortSignal} [signal] @returns {Promise<import("./types.js").Mechanism[]>} */
export const getMechanisms = async (signal) => (await request("GET", "/mechanisms", { signal })).body.mechanisms;

/** @param {AbortSignal} [signal] @returns {Promise<import("./types.js").Preset[]>} */
export const getPresets = async (signal) => (await request("GET", "/presets", { signal })).body.presets;

/** @param {AbortSignal} [signal] @returns {Promise<import("./types.js").Machine>} */
export const getMachine = async (signal) => (await request("GET", "/machine", { signal })).body;

/**
 * The machine that a run in the archive was taken on.
 * @param {string} full  its hash
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("./types.js").Machine>}
 */
export const getMachineOfRuns = async (full, signal) => (await request("GET", `/machines/${full}`, { signal })).body;

/** @param {AbortSignal} [signal] @returns {Promise<import("./types.js").Health>} */
export const getHealth = async (signal) => (await request("GET", "/healthz", { signal })).body;

/** @param {AbortSignal} [signal] @returns {Promise<any>} */
export const getDescription = async (signal) => (await request("GET", "/openapi.json", { signal })).body;

/**
 * @param {Record<string, string|number|null|undefined>} filters
 * @param {AbortSignal} [signal]
 * @returns {Promise<{runs: Run[], next_cursor: string|null}>}
 */
export const getRuns = async (filters, signal) => (await request("GET", `/runs${query(filters)}`, { signal })).body;

/**
 * @param {number} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<{run: Run, etag: string|null}>}
 */
export async function getRun(id, signal) {
  const { body, etag } = await request("GET", `/runs/${id}`, { signal });
  return { run: body, etag };
}

/** @param {number} id @param {AbortSignal} [signal] @returns {Promise<Case[]>} */
export const getResults = async (id, signal) => (await request("GET", `/runs/${id}/results`, { signal })).body.cases;

/**
 * @param {number} id
 * @param {Record<string, string|number>} options
 * @param {AbortSignal} [signal]
 */
async function getTrialPages(id, options, signal) {
  /** @type {Trial[]} */
  const trials = [];
  /** @type {string|null} */
  let cursor = null;
  do {
    const { body } = await request("GET", `/runs/${id}/trials${query({ ...options, cursor })}`, { signal });
    trials.push(...body.trials);
    cursor = body.next_cursor;
  } while (cursor);
  return trials;
}

/**
 * Every trial of a run.
 * @param {number} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<Trial[]>}
 */
export const getTrials = (id, signal) => getTrialPages(id, { limit: 200 }, signal);

/**
 * Every trial of a run with the series of its blocks, page after page.
 * @param {number} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<Trial[]>}
 */
export const getSeries = (id, signal) => getTrialPages(id, { include: "series", limit: 50 }, signal);

/**
 * @param {{base: number, against: string, statistic: string|null, max_slower: string|null}} question
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("./types.js").Comparison>}
 */
export const getComparison = async (question, signal) =>
  (await request("GET", comparisonPath(question), { signal })).body;

/**
 * The same below the origin, for a link or a script.
 * @param {{base: number, against: string, statistic: string|null, max_slower: string|null}} question
 */
export const comparisonAddress = (question) => base + comparisonPath(question);

/** @param {{base: number, against: string, statistic: string|null, max_slower: string|null}} question */
const comparisonPath = (question) =>
  `/compare${query({ ...question, max_slower: question.max_slower && `${question.max_slower}%` })}`;

/**
 * @param {{experiment: string, machine: string, statistic: string|null, cursor: string|null}} question
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("./types.js").Trend>}
 */
export const getTrend = async (question, signal) => (await request("GET", `/trends${query(question)}`, { signal })).body;

/**
 * Experiments that were taken more than once on a machine, from the one with the newest run.
 * @param {string|null} cursor
 * @param {AbortSignal} [signal]
 * @returns {Promise<{experiments: import("./types.js").RepeatedExperiment[], next_cursor: string|null}>}
 */
export const getRepeated = async (cursor, signal) => (await request("GET", `/trends${query({ cursor })}`, { signal })).body;

/**
 * Where a run is had as a file.
 * @param {number} id
 * @param {string} format
 */
export const exportAddress = (id, format) => `${base}/runs/${id}/export?format=${format}`;

/**
 * Puts a run that was exported elsewhere, or earlier, into the archive.
 * @param {Blob} bundle  as it was exported
 * @returns {Promise<{run: Run, known: boolean}>}  known: it was there already
 */
export async function postImport(bundle) {
  const { body, status } = await request("POST", "/imports", { raw: bundle });
  return { run: body, known: status === 200 };
}

/**
 * @param {Experiment} experiment
 * @param {string} key  one key for one intention, so that a repeated request cannot start a second run
 * @returns {Promise<Run>}
 */
export const postRun = async (experiment, key) =>
  (await request("POST", "/runs", { body: experiment, headers: { "Idempotency-Key": key } })).body;

/** @param {number} id @returns {Promise<Run|null>} */
export const cancelRun = async (id) => (await request("POST", `/runs/${id}/cancel`)).body;

/**
 * @param {number} id
 * @param {Partial<Pick<Run, "name"|"note"|"tags"|"pinned">>} changes
 * @param {string} etag
 * @returns {Promise<{run: Run, etag: string|null}>}
 */
export async function patchRun(id, changes, etag) {
  const { body, etag: after } = await request("PATCH", `/runs/${id}`, { body: changes, headers: { "If-Match": etag } });
  return { run: body, etag: after };
}

/**
 * Why a stream of events does not open: EventSource itself does not tell.
 * @param {string} address
 * @returns {Promise<string>}  empty: the server does not answer at all, or takes the stream now
 */
export async function explainStream(address) {
  const stopped = new AbortController();
  try {
    const response = await fetch(address, { signal: stopped.signal, headers: { Accept: "text/event-stream" } });
    const problem = response.ok ? null : await readProblem(response);
    return problem ? problem.detail || problem.title : "";
  } catch {
    return "";
  } finally {
    stopped.abort();
  }
}

/** @param {number} id @returns {Promise<void>} */
export async function deleteRun(id) {
  await request("DELETE", `/runs/${id}`);
}

/** @param {number} id @returns {Promise<Run|null>} */
export const restoreRun = async (id) => (await request("POST", `/runs/${id}/restore`)).body;

/** A fresh Idempotency-Key. crypto.randomUUID is missing on plain HTTP host names. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {AbortSignal} [signal] @returns {Promise<import("./types.js").Lab[]>} */
export const getLabs = async (signal) => (await request("GET", "/labs", { signal })).body.labs;

/** @param {string} name @param {AbortSignal} [signal] @returns {Promise<import("./types.js").Lab>} */
export const getLab = async (name, signal) => (await request("GET", `/labs/${name}`, { signal })).body;

/**
 * The program of a lab, as C.
 * @param {string} name
 * @param {AbortSignal} [signal]
 * @returns {Promise<string>}
 */
export async function getLabSource(name, signal) {
  const response = await fetch(`${base}/labs/${name}/source`, { signal, headers: { Accept: "text/plain" } });
  if (!response.ok) throw await readProblem(response);
  return response.text();
}

/**
 * @param {string} name
 * @param {Record<string, string|number|null|undefined>} filters
 * @param {AbortSignal} [signal]
 * @returns {Promise<{attempts: Attempt[], next_cursor: string|null}>}
 */
export const getAttempts = async (name, filters, signal) =>
  (await request("GET", `/labs/${name}/attempts${query(filters)}`, { signal })).body;

/**
 * How often each answer was predicted, and how often each came out.
 * @param {string} name
 * @param {{group: string, like: number}} filters  group empty: everybody; like: an attempt whose parameters they have
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("./types.js").Predictions>}
 */
export const getPredictions = async (name, filters, signal) =>
  (await request("GET", `/labs/${name}/predictions${query(filters)}`, { signal })).body;

/**
 * @param {string} name
 * @param {{parameters: import("./types.js").Parameters, prediction: Attempt["prediction"], student?: string, group?: string}} attempt
 * @returns {Promise<Attempt>}
 */
export const postAttempt = async (name, attempt) =>
  (await request("POST", `/labs/${name}/attempts`, { body: attempt })).body;

/** @param {number} id @param {AbortSignal} [signal] @returns {Promise<Attempt>} */
export const getAttempt = async (id, signal) => (await request("GET", `/attempts/${id}`, { signal })).body;

/** @param {number} id @returns {Promise<Attempt>} */
export const cancelAttempt = async (id) => (await request("POST", `/attempts/${id}/cancel`)).body;

/**
 * What is typed into a terminal of an interactive lab.
 * @param {number} id
 * @param {{terminal: string, text: string}|{terminal: string, eof: true}} input
 */
export async function postInput(id, input) {
  await request("POST", `/attempts/${id}/input`, { body: input });
}

/** @param {AbortSignal} [signal] @returns {Promise<Claim[]>} */
export const getClaims = async (signal) => (await request("GET", "/claims", { signal })).body.claims;

/**
 * The latest check of every claim on one machine, and the machines that have checked any.
 * @param {string} machine  full hash; empty: the one the server runs on
 * @param {AbortSignal} [signal]
 * @returns {Promise<{machine: string, machines: import("./types.js").CheckMachine[], checks: Check[], pending: Check[]}>}
 */
export const getLatestChecks = async (machine, signal) =>
  (await request("GET", `/claims/checks${query({ machine })}`, { signal })).body;

/** @param {number} number @param {AbortSignal} [signal] @returns {Promise<Claim>} */
export const getClaim = async (number, signal) => (await request("GET", `/claims/${number}`, { signal })).body;

/**
 * The checks of one claim from the newest.
 * @param {number} number
 * @param {AbortSignal} [signal]
 * @returns {Promise<Check[]>}
 */
export const getChecks = async (number, signal) =>
  (await request("GET", `/claims/${number}/checks`, { signal })).body.checks;

/** @param {number} number @returns {Promise<Check>} */
export const postCheck = async (number) => (await request("POST", `/claims/${number}/checks`)).body;

/** @returns {Promise<Check[]>} */
export const postChecks = async () => (await request("POST", "/claims/checks")).body.checks;
