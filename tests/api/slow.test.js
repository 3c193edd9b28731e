import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";

import { startServer } from "./support/server.js";

/**
 * A connection that says its text a byte at a time; settles when the server cuts it off, with how long that took.
 * @param {number} port @param {string} text @param {number} pause_ms
 */
function dribble(port, text, pause_ms) {
  return new Promise((settle) => {
    const begin = Date.now();
    let at = 0;
    /** @type {NodeJS.Timeout|undefined} */
    let timer;
    const socket = connect(port, "127.0.0.1");
    const say = () => {
      socket.write(text[at++ % text.length]);
      timer = setTimeout(say, pause_ms);
    };
    socket.on("connect", say);
    socket.on("error", () => {});
    socket.on("data", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      settle(Date.now() - begin);
    });
  });
}

test("sixty slow clients are cut off after five seconds and keep nobody waiting", { timeout: 60000 }, async (t) => {
  const { port, client } = await startServer(t);
  const head = `GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\nX-Slow: `;
  const upload = `POST /api/v1/runs HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n`;
  const slow = [
    ...Array.from({ length: 30 }, () => dribble(port, head + "x".repeat(60000), 100)),
    ...Array.from({ length: 20 }, () => dribble(port, upload + " ".repeat(60000), 20)),
    ...Array.from({ length: 10 }, () => dribble(port, "G", 100000)),
  ];
  let over = false;
  const ends = Promise.all(slow).then((times) => {
    over = true;
    return times;
  });
  let probes = 0;
  let worst_ms = 0;
  while (!over) {
    const begin = Date.now();
    assert.equal((await client.get("/healthz")).status, 200);
    worst_ms = Math.max(worst_ms, Date.now() - begin);
    probes++;
    await new Promise((settle) => setTimeout(settle, 20));
  }
  const times = await ends;
  assert.ok(Math.min(...times) > 4000 && Math.max(...times) < 8000, `cut off between ${Math.min(...times)} and ${Math.max(...times)} ms`);
  assert.ok(probes > 50 && worst_ms < 1000, `${probes} probes, the slowest ${worst_ms} ms`);
  assert.match((await client.get("/metrics")).text, /^ipclab_http_deadlines_missed_total 60$/m);
});

/**
 * What the process has done in a while without requests: how often it woke, and how long it computed.
 * @param {number} pid
 */
async function watchIdle(pid) {
  const look = () => ({
    wakes: Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
    // utime and stime, in ticks of 10 ms; the name in brackets before them may hold spaces
    ticks: readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ").slice(11, 13).reduce((sum, one) => sum + Number(one), 0),
  });
  const pause = (/** @type {number} */ ms) => new Promise((settle) => setTimeout(settle, ms));
  await pause(300); // the start is still being swept up
  const before = look();
  await pause(1500);
  const after = look();
  return { wakes: after.wakes - before.wakes, ticks: after.ticks - before.ticks };
}

test("a server that nobody talks to does not run", async (t) => {
  const { child, client } = await startServer(t);
  client.agent.destroy();
  const { wakes, ticks } = await watchIdle(Number(child.pid));
  assert.ok(wakes <= 1 && ticks <= 1, `${wakes} wake-ups and ${ticks} ticks in 1.5 s`);
});

test("open streams cost nothing between events", async (t) => {
  const { child, client } = await startServer(t);
  const streams = await Promise.all(Array.from({ length: 20 }, () => client.stream("runs")));
  const { wakes, ticks } = await watchIdle(Number(child.pid));
  assert.ok(wakes <= 2 && ticks <= 1, `${wakes} wake-ups and ${ticks} ticks in 1.5 s`);
  for (const stream of streams) stream.close();
});
