import assert from "node:assert/strict";
import { test } from "node:test";

import { latencyGroups } from "../../web/js/figures.js";
import { loadGroups, loadPoints } from "../../web/js/load.js";
import { overheadSentences } from "../../web/js/overhead.js";
import { aCase } from "./fixtures.js";

/** @param {number} value */
const estimate = (value) => ({ value, low: null, high: null });

/** @param {number} rate_hz @param {Partial<import("../../web/js/types.js").Case>} [changes] */
const paced = (rate_hz, changes = {}) =>
  aCase({
    pattern: "paced",
    rate_hz,
    achieved_hz: estimate(rate_hz),
    latency_ns: { p50: estimate(6000), p99: estimate(9000) },
    ...changes,
  });

test("rates of one size make a group, the settings of a mechanism its lines", () => {
  const groups = loadGroups([
    paced(5000),
    paced(1000),
    paced(1000, { wait: "poll" }),
    paced(1000, { mechanism: "fifo" }),
    paced(1000, { message_bytes: 4096 }),
    paced(2000, { latency_ns: null }),
    aCase(),
  ]);
  assert.deepEqual(
    groups.map(({ bytes, rates }) => [bytes, rates]),
    [[64, [1000, 5000]]],
    "one rate alone is no load",
  );
  assert.deepEqual(
    groups[0].lines.map(({ mechanism, setting, cases }) => [mechanism, setting, cases.map((one) => one.rate_hz)]),
    [
      ["pipe", "blocking · two CPUs", [1000, 5000]],
      ["pipe", "polling · two CPUs", [1000]],
      ["fifo", "blocking · two CPUs", [1000]],
    ],
  );
});

test("a line is over once a rate was not held, even if a later one was", () => {
  const [{ lines }] = loadGroups([
    paced(1000),
    paced(5000, { flags: ["rate_not_held"], achieved_hz: estimate(4200) }),
    paced(9000),
  ]);
  assert.deepEqual(
    loadPoints(lines[0], "p50").map(({ rate_hz, held, achieved_hz }) => [rate_hz, held, achieved_hz]),
    [
      [1000, true, null],
      [5000, false, 4200],
      [9000, false, null],
    ],
  );
});

test("a quantile that is not supported has no point", () => {
  const [{ lines }] = loadGroups([paced(1000, { latency_ns: { p50: estimate(1), p99: null } }), paced(5000)]);
  assert.deepEqual(
    loadPoints(lines[0], "p99").map(({ rate_hz }) => rate_hz),
    [5000],
  );
});

test("each rate has a chart of percentiles of its own", () => {
  assert.deepEqual(
    latencyGroups([aCase(), paced(1000), paced(5000), paced(1000, { mechanism: "fifo" })]).map(({ key, cases }) => [
      key,
      cases.length,
    ]),
    [
      ["round_trip:64", 1],
      ["paced:64:1000", 2],
      ["paced:64:5000", 1],
    ],
  );
});

const overhead = { clock_ns: 22, histogram_ns: 1.7, verify_header_ns: 3, verify_full_ns_per_kib: 210, loop_ns: 35 };
/** @param {string} name */
const titleOf = (name) => name.toUpperCase();

test("the cost of measuring is held against the shortest round trip, and the shortest timed singly", () => {
  const text = overheadSentences(
    overhead,
    [
      aCase({ overhead_share: 0.0006 }),
      aCase({
        mechanism: "shm_sysv",
        latency_ns: { p50: estimate(110) },
        overhead_share: 0.034,
        flags: ["batched"],
      }),
      aCase({ mechanism: "fifo", latency_ns: { p50: estimate(7000) }, overhead_share: 0.0005 }),
      aCase({ mechanism: "memfd", latency_ns: { p50: estimate(90) }, overhead_share: null }),
    ],
    titleOf,
  ).join(" ");
  assert.match(text, /clock takes 22\.0 ns/);
  assert.match(text, /batches of 100/);
  assert.match(text, /110 ns by SHM_SYSV, measuring is about 3 %/);
  assert.match(text, /6\.10 µs by PIPE, about 0\.06 %/);
});

test("of what is not known nothing is said", () => {
  assert.deepEqual(overheadSentences(null, [aCase()], titleOf), []);
  assert.doesNotMatch(overheadSentences(overhead, [aCase()], titleOf).join(" "), /shortest/);
});
