/** What a lab's page makes of the lines it hears: calls, stops, axes, panels. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { barsOf, createAxis, momentsOf, ticksOf, zoomed } from "../../web/js/axis.js";
import { createRecorder, kindOf, levelAfter, panelsAt, stateAt, stepAt, stepsOf } from "../../web/js/timeline.js";

const ms = 1e6;

/** A writer that blocks until a reader, which slept, has read. */
const lines = [
  { type: "worker", worker: "writer", pid: 3 },
  { type: "worker", worker: "reader", pid: 4 },
  { type: "call", number: 1, worker: "writer", begin_ns: 1000, call: "write", arguments: "4, …, 10" },
  { type: "return", number: 1, end_ns: 3000, returned: 10, errno: null, bytes: 10 },
  { type: "call", number: 2, worker: "writer", begin_ns: 4000, call: "write", arguments: "4, …, 10" },
  { type: "call", number: 3, worker: "reader", begin_ns: 2000, call: "usleep", arguments: "400000" },
  { type: "panel", panel: "gauge", at_ns: 3500, data: { used_bytes: 10 } },
  { type: "panel", panel: "gauge", at_ns: 2500, data: { used_bytes: 5 } },
  { type: "return", number: 3, end_ns: 400 * ms, returned: 0, errno: null, bytes: null },
  { type: "call", number: 4, worker: "reader", begin_ns: 401 * ms, call: "read", arguments: "3, …, 10" },
  { type: "return", number: 4, end_ns: 401 * ms + 2000, returned: -1, errno: "EAGAIN", bytes: null },
  { type: "return", number: 2, end_ns: 402 * ms, returned: 10, errno: null, bytes: 10 },
  { type: "state", worker: "writer", at_ns: 403 * ms, state: "ended", cause: "exit 0" },
  { type: "result", outcome: 1, dropped_calls: 2 },
];

/** @param {readonly any[]} told */
function timelineOf(told) {
  const recorder = createRecorder();
  for (const line of told) recorder.take(line);
  return recorder.timeline;
}

test("lines become calls in the order they began, panels in the order of their times", () => {
  const timeline = timelineOf(lines);
  assert.deepEqual(
    timeline.calls.map(({ number }) => number),
    [1, 3, 2, 4],
  );
  assert.deepEqual(
    timeline.panels.map(({ data }) => data.used_bytes),
    [5, 10],
  );
  assert.equal(timeline.end_ns, 403 * ms);
  assert.equal(timeline.dropped_calls, 2);
  assert.deepEqual(
    timeline.workers.map(({ worker, pid }) => [worker, pid]),
    [
      ["writer", 3],
      ["reader", 4],
    ],
  );
});

test("a line that is told twice is taken once, and the archive's form adds nothing to what came live", () => {
  const recorder = createRecorder();
  for (const line of [...lines, ...lines]) recorder.take(line);
  const { calls, workers, panels } = recorder.timeline;
  recorder.takeAttempt({
    workers: JSON.parse(JSON.stringify(workers)),
    timeline: JSON.parse(JSON.stringify(calls)),
    panels: JSON.parse(JSON.stringify(panels)),
    dropped_calls: 2,
  });
  assert.deepEqual(JSON.parse(JSON.stringify(recorder.timeline)), JSON.parse(JSON.stringify(timelineOf(lines))));
});

test("a call is slept, blocked, failed or quick; one that has not returned waits on", () => {
  const [quick, slept, blocked, failed] = timelineOf(lines).calls;
  assert.deepEqual(
    [quick, slept, blocked, failed].map((call) => kindOf(call, 403 * ms)),
    ["quick", "slept", "blocked", "failed"],
  );
  const open = { ...blocked, end_ns: null };
  assert.equal(kindOf(open, open.begin_ns + 10), "quick");
  assert.equal(kindOf(open, open.begin_ns + 2 * ms), "blocked");
});

test("stops: a call alone is one, a call during which others happen is two, an end is one", () => {
  const steps = stepsOf(timelineOf(lines));
  assert.deepEqual(
    steps.map(({ kind, call }) => `${kind} ${call?.number ?? ""}`.trim()),
    ["begin 1", "begin 3", "return 1", "begin 2", "return 3", "call 4", "return 2", "state"],
  );
  assert.equal(stepAt(steps, -1), -1);
  assert.equal(stepAt(steps, 1000), 0);
  assert.equal(stepAt(steps, 399 * ms), 3);
  assert.equal(stepAt(steps, Infinity), steps.length - 1);
});

test("a panel shows what was told last; before the first time, the first contents", () => {
  const timeline = timelineOf(lines);
  assert.equal(panelsAt(timeline, "gauge", 0)[0].data.used_bytes, 5);
  assert.equal(panelsAt(timeline, "gauge", 3000)[0].data.used_bytes, 5);
  assert.equal(panelsAt(timeline, "gauge", 9e9)[0].data.used_bytes, 10);
  assert.deepEqual(panelsAt(timeline, "maps", 9e9), []);
  assert.equal(stateAt(timeline.workers[0], 1), null);
  assert.equal(stateAt(timeline.workers[0], 9e9)?.state, "ended");
});

test("both axes keep the order of times, run from edge to edge and can be read back", () => {
  const timeline = timelineOf(lines);
  for (const to_scale of [true, false]) {
    const axis = createAxis(momentsOf(timeline), to_scale);
    const places = momentsOf(timeline).map(axis.place);
    assert.deepEqual(
      [...places].sort((a, b) => a - b),
      places,
    );
    assert.ok(Math.abs(places[0]) < 1e-9 && Math.abs((places[places.length - 1] ?? 0) - 1) < 1e-9);
    for (const ns of [1000, 3000, 200 * ms, 402 * ms])
      assert.ok(Math.abs(axis.timeAt(axis.place(ns)) - ns) < 1, `${ns}`);
  }
});

test("stretched, a quick call keeps room beside a wait 100 000 times as long", () => {
  const timeline = timelineOf(lines);
  const [scale, stretched] = [true, false].map((to_scale) => createAxis(momentsOf(timeline), to_scale));
  const [quick, , blocked] = timeline.calls;
  /** @param {any} axis @param {any} call */
  const width = (axis, call) => axis.place(call.end_ns) - axis.place(call.begin_ns);
  assert.ok(width(scale, quick) < 1e-4);
  assert.ok(width(stretched, quick) > 0.03);
  assert.ok(width(stretched, blocked) > width(stretched, quick));
});

test("ticks to scale are round and inside; stretched they stand at even distances", () => {
  const moments = momentsOf(timelineOf(lines));
  const round = ticksOf(createAxis(moments, true), 5);
  assert.ok(round.length >= 3 && round.every(({ ns, x }) => ns % (50 * ms) === 0 && x >= 0 && x <= 1));
  assert.deepEqual(
    ticksOf(createAxis(moments, false), 4).map(({ x }) => x),
    [0, 0.25, 0.5, 0.75, 1],
  );
});

test("zooming keeps the place it is done at, and never leaves the whole", () => {
  const near = zoomed({ from: 0, to: 1 }, 4, 0.5);
  assert.deepEqual(near, { from: 0.375, to: 0.625 });
  assert.deepEqual(zoomed(near, 1 / 100, 0.5), { from: 0, to: 1 });
  assert.equal(zoomed({ from: 0.9, to: 1 }, 1 / 2, 1).to, 1);
});

test("quick calls on the same pixels are one bar; a blocked one stays alone", () => {
  const calls = Array.from({ length: 500 }, (_, i) => ({
    number: i + 1,
    worker: "w",
    call: "write",
    arguments: "",
    begin_ns: i * 1000,
    end_ns: i * 1000 + (i === 250 ? 2 * ms : 500),
    cut_ns: null,
    returned: 1,
    errno: null,
    bytes: 1,
  }));
  const bars = barsOf(calls, createAxis([0, 3 * ms], true), 100, 3 * ms);
  assert.ok(bars.length < 30, `${bars.length}`);
  assert.equal(
    bars.reduce((sum, bar) => sum + bar.calls.length, 0),
    500,
  );
  assert.deepEqual(
    bars.filter(({ kind }) => kind === "blocked").map((bar) => bar.calls.length),
    [1],
  );
});

test("what a call left in the channel is its worker's look after it, not one after the next call", () => {
  /** @param {number} number @param {string} worker @param {number} begin_ns */
  const write = (number, worker, begin_ns) => [
    { type: "call", number, worker, begin_ns, call: "write", arguments: "4, …, 10" },
    { type: "return", number, end_ns: begin_ns + 1000, returned: 10, errno: null, bytes: 10 },
  ];
  /** @param {number} at_ns @param {number} used_bytes */
  const look = (at_ns, used_bytes) => ({ type: "panel", panel: "gauge", at_ns, data: { used_bytes } });
  const timeline = timelineOf([
    ...[...write(1, "writer", 1000), ...write(2, "writer", 2500), ...write(3, "writer", 4000)],
    ...[...write(4, "other", 5500), ...write(5, "writer", 900_000)],
    ...[look(2400, 10), look(3900, 20), look(800_000, 30)],
  ]);
  assert.deepEqual(
    timeline.calls.map((call) => /** @type {any} */ (levelAfter(timeline, call)).used_bytes),
    [10, 20, 20, 20, 30],
    "the third and the fourth were not looked at soon: as last seen",
  );
});
