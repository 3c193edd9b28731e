import assert from "node:assert/strict";
import { test } from "node:test";

import { countAnswers, exchange, statusOf } from "./support/raw.js";
import { startServer } from "./support/server.js";

const body = '{"preset":"quick"}';

test("framing that two could read differently ends the connection, and the second request in it is not served", async (t) => {
  const { port, client } = await startServer(t);
  const smuggled = `GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`;
  const head = `POST /api/v1/runs HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\n`;
  const cases = {
    "CL and TE": `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    "TE and CL": `${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`,
    "two CL": `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello${smuggled}`,
    "two equal CL": `${head}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello${smuggled}`,
    "TE other": `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    "TE twice": `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`,
    "TE with space": `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    "two Host": `GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\nHost: evil.example\r\n\r\n${smuggled}`,
    "no Host": `GET /healthz HTTP/1.1\r\nAccept: */*\r\n\r\n${smuggled}`,
    "no Host, old": `GET /healthz HTTP/1.0\r\n\r\n${smuggled}`,
  };
  for (const [name, text] of Object.entries(cases)) {
    const { answer, closed } = await exchange(port, text);
    assert.equal(statusOf(answer), 400, `${name}: ${answer.slice(0, 300)}`);
    assert.equal(countAnswers(answer), 1, `${name}: ${answer}`);
    assert.ok(closed, `${name} left the connection open`);
  }
  assert.equal((await client.get("/api/v1/runs")).json.runs.length, 0);
});

test("a length that is no number is refused by the library, and nothing after it is served", async (t) => {
  const { port } = await startServer(t);
  for (const length of ["5, 5", "+5", "0x5", "-1", "", "5x", "99999999999999999999"]) {
    const text = `POST /api/v1/runs HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\nhello`;
    const { answer, closed } = await exchange(port, `${text}GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
    assert.ok([400, 413].includes(statusOf(answer)), `${length}: ${answer}`);
    assert.ok(closed && !answer.includes("200 OK"), `${length}: ${answer}`);
  }
});

test("paths that could mean two things are nobody's", async (t) => {
  const { port } = await startServer(t);
  const paths = ["/%00", "/healthz%00", "/healthz%00.html", "/js%2Fmain.js", "/js%5cmain.js", "/%2e%2e/etc/passwd", "/../etc/passwd", "/./healthz", "//healthz", "/js/../healthz",
    "/healthz%0d%0aX:1", "/%zz", "/%", "/\x7f", "/healthz/", "/\xff"];
  for (const path of paths) {
    const { answer } = await exchange(port, Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`, "latin1"));
    assert.equal(statusOf(answer), 404, path);
    assert.match(answer, /application\/problem\+json/, path);
  }
});

test("a whole address is taken, and stands for the Host field", async (t) => {
  const { port } = await startServer(t);
  const ask = async (/** @type {string} */ target, host = `localhost:${port}`, more = "") => {
    const { answer } = await exchange(port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`);
    return statusOf(answer);
  };
  assert.equal(await ask(`http://localhost:${port}/healthz`), 200);
  assert.equal(await ask(`HTTP://127.0.0.1:${port}/api/v1/runs?limit=1`), 200);
  assert.equal(await ask(`http://localhost:${port}`), 200);
  assert.equal(await ask(`http://localhost:${port}/healthz`, "evil.example"), 200, "RFC 9112 §3.2.2");
  assert.equal(await ask(`http://localhost:${port}/healthz`, "evil.example", "Origin: http://evil.example\r\n"), 403);
  for (const other of ["evil.example", `evil.example:${port}`, `evil@localhost:${port}`, "localhost", ""]) {
    assert.equal(await ask(`http://${other}/healthz`), 421, other);
  }
  assert.equal(await ask(`https://localhost:${port}/healthz`), 404);
  assert.equal(await ask(`http://localhost:${port}/%2e%2e/etc`), 404);
});

test("what is too long is refused and the server is none the worse", async (t) => {
  const { port, client } = await startServer(t);
  const long = "x".repeat(5000);
  assert.equal((await client.get(`/${long}`)).status, 414);
  assert.equal((await client.get(`/api/v1/runs?q=${long}`)).status, 414);
  const askFor = async (/** @type {string} */ path, /** @type {string} */ fields) => (await exchange(port, `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n${fields}\r\n`)).answer;
  const ours = [[await askFor(`/${"x".repeat(40000)}`, ""), 414], [await askFor("/healthz", `X-Long: ${"x".repeat(40000)}\r\n`), 431], [await askFor("/healthz", `X-Long: ${"x".repeat(8000)}\r\n`.repeat(5)), 431]];
  for (const [answer, status] of ours) {
    assert.equal(statusOf(String(answer)), status);
    assert.match(String(answer), /content-type: application\/problem\+json/i);
  }
  assert.equal(statusOf(await askFor("/healthz", `X-Long: ${"x".repeat(32000)}\r\n`)), 200);
  /* Longer still, the library refuses by itself. */
  assert.equal(statusOf(await askFor(`/${"x".repeat(100000)}`, "")), 414);
  assert.equal(statusOf(await askFor("/healthz", `X-Long: ${"x".repeat(100000)}\r\n`)), 431);
  const many = Array.from({ length: 3000 }, (_, i) => `X-${i}: y\r\n`).join("");
  assert.equal(statusOf((await exchange(port, `GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\n${many}\r\n`)).answer), 431);
  assert.equal((await client.get("/healthz")).status, 200);
});

test("chunks, pieces and several requests in one segment are read as meant", async (t) => {
  const { port, client } = await startServer(t);
  const head = `POST /api/v1/runs HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\n`;
  const chunked = [...body].map((c) => `1\r\n${c}\r\n`).join("");
  const first = await exchange(port, `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunked}0\r\n\r\n`);
  assert.equal(statusOf(first.answer), 202);
  const get = `GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`;
  const last = get.replace("Host", "Connection: close\r\nHost");
  assert.equal(countAnswers((await exchange(port, get.repeat(4) + last)).answer), 5);
  // A refusal keeps the connection when the body has been read.
  const mixed = await exchange(port, `${head}Content-Length: 1\r\n\r\n{${last}`);
  assert.deepEqual([statusOf(mixed.answer), countAnswers(mixed.answer)], [400, 2]);
  const { json } = await client.get("/api/v1/runs");
  assert.equal(json.runs.length, 1);
  await client.post(`/api/v1/runs/${json.runs[0].id}/cancel`);
});

test("bytes that are no HTTP do no harm", async (t) => {
  const { port, client } = await startServer(t);
  const nonsense = ["\r\n\r\n", "GET\r\n\r\n", "\0\0\0\0", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00", "GET / HTTP/1.1\nHost: x\nConnection: close\n\n", "A".repeat(100000), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"];
  for (const text of nonsense) {
    const { answer, closed } = await exchange(port, text, () => client.get("/healthz"));
    assert.ok(closed && !answer.includes("200 OK"), text.slice(0, 40));
  }
  assert.equal((await client.get("/healthz")).status, 200);
});
