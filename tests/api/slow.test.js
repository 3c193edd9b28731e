import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";

import { startServer } from "./support/server.js";

/**
 * A connection that says its text a byte at a time, as a slow client does; cut_off settles when the server has closed it,
 * with how long that took.
 * @param {number} port @param {string} text @param {number} pause_ms
 */
function dribble(port, text, pause_ms) {
  const begin = Date.now();
  let at = 0;
  /** @type {NodeJS.Timeout|undefined} */
  let timer;
  const socket = connect(port, "127.0.0.1");
  const say = () => {
    socket.write(text[at++ % text.length]);
    timer = setTimeout(say, pause_ms);
  };
  const connected = once(socket, "connect").then(say);
  socket.on("error", () => {});
  socket.on("data", () => {});
  const cut_off = new Promise((settle) => {
    socket.on("close", () => {
      clearTimeout(timer);
      settle(Date.now() - begin);
    });
  });
  return { connected, cut_off };
}

test("sixty slow clients are cut off and keep nobody waiting, a connection that was opened early is kept", async (t) => {
  const { port, client } = await startServer(t);
  const early = connect(port, "127.0.0.1");
  const heard = Promise.race([once(early, "data"), once(early, "close")]);
  await once(early, "connect");
  const head = `GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\nX-Slow: `;
  const upload = `POST /api/v1/runs HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n`;
  const slow = [
    ...Array.from({ length: 30 }, () => dribble(port, head + "x".repeat(60000), 100)),
    ...Array.from({ length: 20 }, () => dribble(port, upload + " ".repeat(60000), 20)),
    ...Array.from({ length: 10 }, () => dribble(port, "G", 100000)),
  ];
  let open = slow.length;
  for (const { cut_off } of slow) void cut_off.then(() => open--);
  await Promise.all(slow.map(({ connected }) => connected));
  for (let i = 0; i < 10; i++) assert.equal((await client.get("/healthz")).status, 200);
  assert.equal(open, slow.length, "others are answered before any of them is cut off");
  const first_ms = await Promise.race(slow.map(({ cut_off }) => cut_off));
  early.end(`GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
  assert.match(String((await heard)[0]), /^HTTP\/1.1 200 /, "nothing was asked on it when the first was cut off");
  await Promise.all(slow.map(({ cut_off }) => cut_off));
  assert.ok(first_ms > 4000, `the first was cut off after ${first_ms} ms`);
  // The client's own connection may have idled as long.
  const missed = Number(/^ipclab_http_deadlines_missed_total (\d+)$/m.exec((await client.get("/metrics")).text)?.[1]);
  assert.ok([slow.length, slow.length + 1].includes(missed), `${missed} deadlines were missed`);
});

/**
 * What the process did in a second and a half without requests: how often it woke, and how long it computed. That
 * nothing happens is no event to wait for, it takes a while. The start,
 * or what came before, may still have to be swept up: one such while of many is enough.
 * @param {number} pid @param {number} wakes_max
 */
async function assertIdle(pid, wakes_max) {
  const look = () => ({
    wakes: Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
    // utime and stime, in ticks of 10 ms; the name in brackets before them may hold spaces
    ticks: readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ").slice(11, 13).reduce((sum, one) => sum + Number(one), 0),
  });
  const seen = [];
  for (let i = 0; i < 20; i++) {
    const before = look();
    await new Promise((settle) => setTimeout(settle, 1500));
    const after = look();
    const [wakes, ticks] = [after.wakes - before.wakes, after.ticks - before.ticks];
    if (wakes <= wakes_max && ticks <= 1) return;
    seen.push(`${wakes} wake-ups and ${ticks} ticks`);
  }
  assert.fail(`in 1.5 s each: ${seen}`);
}

test("a server that nobody talks to does not run", async (t) => {
  const { child, client } = await startServer(t);
  client.agent.destroy();
  await assertIdle(Number(child.pid), 1);
});

test("open streams cost nothing between events", async (t) => {
  const { child, client } = await startServer(t);
  const streams = await Promise.all(Array.from({ length: 20 }, () => client.stream("runs")));
  await assertIdle(Number(child.pid), 2);
  for (const stream of streams) stream.close();
});
