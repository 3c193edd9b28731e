/**
 * An import that is cut off, by its client or by the death of the server, leaves nothing that anybody sees.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { build, small, startServer, takeRun } from "../api/support/server.js";

const trials = 40; /* more than one portion */

/**
 * All of an import but its end, and the connection it hangs on. It is in the server when the server has asked for more:
 * the request that follows on another connection is answered after what came before it.
 * @param {Awaited<ReturnType<typeof startServer>>} server
 * @param {string} text
 * @param {number} length
 */
async function beginImport(server, text, length) {
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  const head = `POST /api/v1/imports HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n`;
  await new Promise((settle) => socket.write(head + text.slice(0, length), settle));
  for (let i = 0; i < 20; i++) await server.client.get("/healthz");
  return socket;
}

test("an import that is cut off leaves nothing, and can be begun again", async (t) => {
  const source = await startServer(t);
  const run = await takeRun(source.client, { ...small, trials });
  const { text } = await source.client.get(`/api/v1/runs/${run.id}/export`);
  const data = await mkdtemp(join(tmpdir(), "ipclab-import-"));
  t.after(() => rm(data, { recursive: true, force: true }));
  const nothing = async (/** @type {any} */ client) => assert.deepEqual((await client.get("/api/v1/runs")).json.runs, []);

  const first = await startServer(t, { data });
  const left = await beginImport(first, text, text.length - 1);
  await nothing(first.client);
  left.destroy();
  await beginImport(first, text, text.length >> 1);
  await nothing(first.client);
  await first.crash();

  const second = await startServer(t, { data });
  await nothing(second.client);
  const { status, json } = await second.client.post("/api/v1/imports", text);
  assert.equal(status, 201);
  assert.equal(json.trials_done, trials);
  assert.equal((await second.client.get(`/api/v1/runs/${json.id}/export`)).text, text);
  await second.stop();
  const { stdout } = await promisify(execFile)(join(build, "ipclab"), ["verify", "--data", data]);
  assert.match(stdout, /is whole\n$/);
});
