import assert from "node:assert/strict";
import { test } from "node:test";

import {
  choiceOf,
  collectFigures,
  decadesOf,
  optionsOf,
  pickFigure,
  runsByPreference,
  runsToRead,
  supportedQuantiles,
} from "../../web/js/figures.js";
import { groupByFamily, looksOf, markerPath } from "../../web/js/mechanisms.js";
import { aCase, aMechanism, aRun } from "./fixtures.js";

/** @param {import("../../web/js/types.js").Run[]} runs */
const byId = (...runs) => new Map(runs.map((run) => [run.id, run]));
const stream = { value: 1, low: null, high: null };
const nothing_asked = new URLSearchParams();

test("the run followed comes first, then finished ones from the newest, then the rest", () => {
  const runs = byId(
    aRun({ id: 1 }),
    aRun({ id: 2, state: "cancelled" }),
    aRun({ id: 3 }),
    aRun({ id: 4, state: "running" }),
    aRun({ id: 5, state: "queued" }),
    aRun({ id: 6, deleted: true }),
  );
  assert.deepEqual(
    runsByPreference(runs, 4).map((run) => run.id),
    [4, 3, 1, 2],
  );
});

test("a figure comes from the followed run, else from usual conditions, else from the latest run", () => {
  const runs = byId(aRun({ id: 1 }), aRun({ id: 2 }), aRun({ id: 3 }));
  const results = new Map([
    [1, [aCase({ number: 0 }), aCase({ number: 1, mechanism: "fifo" })]],
    [2, [aCase({ number: 0 })]],
    [3, [aCase({ number: 0, placement: "same_cpu" }), aCase({ number: 1, mechanism: "tcp", placement: "same_cpu" })]],
  ]);
  /** @param {string} mechanism @param {number|null} followed */
  const source = (mechanism, followed) => {
    const figures = collectFigures(runs, results, followed);
    return pickFigure(figures, mechanism, "round_trip", choiceOf(figures, optionsOf(figures), followed, nothing_asked))
      ?.run.id;
  };
  assert.equal(source("pipe", null), 2);
  assert.equal(source("fifo", null), 1);
  assert.equal(source("tcp", null), 3);
  assert.equal(source("pipe", 3), 3);
  assert.equal(source("udp", null), undefined);
});

test("a failed case is shown, an untouched one is not", () => {
  const results = new Map([
    [
      1,
      [
        aCase({ trials: 0, failed: 2, latency_ns: null }),
        aCase({ number: 1, mechanism: "fifo", trials: 0, latency_ns: null }),
      ],
    ],
  ]);
  assert.deepEqual(
    collectFigures(byId(aRun()), results, null).map((figure) => figure.case.mechanism),
    ["pipe"],
  );
});

test("sizes are the usual ones, unless the followed run has others or the address asks", () => {
  const runs = byId(aRun({ id: 1 }), aRun({ id: 2, state: "running" }));
  const results = new Map([
    [1, [aCase(), aCase({ number: 1, pattern: "stream", message_bytes: 65536, bytes_per_s: stream })]],
    [2, [aCase({ message_bytes: 4096 }), aCase({ number: 1, message_bytes: 1024 })]],
  ]);
  const figures = collectFigures(runs, results, 2);
  const options = optionsOf(figures);
  assert.deepEqual(options.round_trip_bytes, [64, 1024, 4096]);
  assert.equal(choiceOf(figures, options, 2, nothing_asked).round_trip_bytes, 1024);
  assert.equal(choiceOf(figures, options, null, nothing_asked).round_trip_bytes, 64);
  assert.equal(choiceOf(figures, options, 2, new URLSearchParams("round_trip_bytes=4096")).round_trip_bytes, 4096);
  assert.equal(choiceOf(figures, options, 2, new URLSearchParams("round_trip_bytes=7")).round_trip_bytes, 1024);
  assert.equal(choiceOf(figures, options, 2, nothing_asked).stream_bytes, 65536);
});

test("a chosen placement leaves out all others", () => {
  const figures = collectFigures(
    byId(aRun()),
    new Map([[1, [aCase(), aCase({ number: 1, placement: "same_cpu" })]]]),
    null,
  );
  const choice = choiceOf(figures, optionsOf(figures), null, new URLSearchParams("placement=same_cpu"));
  assert.equal(pickFigure(figures, "pipe", "round_trip", choice)?.case.number, 1);
});

test("a way of waiting is a choice only where one mechanism was measured with several", () => {
  const cases = [
    aCase(),
    aCase({ number: 1, wait: "poll" }),
    aCase({ number: 2, mechanism: "shm_sysv", wait: "spin_futex" }),
  ];
  const figures = collectFigures(byId(aRun()), new Map([[1, cases]]), null);
  const options = optionsOf(figures);
  assert.deepEqual(options.wait, ["block", "poll"]);
  const choice = choiceOf(figures, options, null, new URLSearchParams("wait=poll"));
  assert.equal(pickFigure(figures, "pipe", "round_trip", choice)?.case.wait, "poll");
  assert.equal(pickFigure(figures, "shm_sysv", "round_trip", choice)?.case.wait, "spin_futex");
});

test("only runs that add something are read", () => {
  /** @type {import("../../web/js/types.js").Experiment} */
  const experiment = {
    mechanisms: ["pipe"],
    patterns: ["round_trip"],
    message_bytes: { round_trip: [64] },
    placement: "two_cpus",
  };
  const runs = byId(
    aRun({ id: 1, experiment: { ...experiment, mechanisms: ["pipe", "fifo"] } }),
    aRun({ id: 2, experiment }),
    aRun({ id: 3, experiment }),
    aRun({ id: 4, experiment: { ...experiment, placement: "same_cpu" } }),
  );
  assert.deepEqual(
    runsToRead(runs, null, 10).map((run) => run.id),
    [4, 3, 1],
  );
  assert.deepEqual(
    runsToRead(runs, 2, 10).map((run) => run.id),
    [2, 4, 1],
  );
  assert.equal(runsToRead(runs, null, 2).length, 2);
});

test("a line of quantiles stops at the first that is not supported", () => {
  const one = { value: 1, low: null, high: null };
  assert.deepEqual(
    supportedQuantiles({ p50: one, p90: one, p99: null, p999: one }).map(({ name }) => name),
    ["p50", "p90"],
  );
  assert.deepEqual(supportedQuantiles(null), []);
});

test("a log axis holds whole decades", () => {
  assert.deepEqual(decadesOf([180, 95_000]), { low: 2, high: 5, decades: [2, 3, 4, 5] });
  assert.deepEqual(decadesOf([1000]), { low: 3, high: 4, decades: [3, 4] });
  assert.equal(decadesOf([]).decades.length, 4);
});

test("the mechanisms of the quick look have six different markers", () => {
  const families = {
    memory: ["shm_sysv", "shm_posix", "memfd", "mmap_file"],
    byte_stream: ["pipe", "fifo"],
    socket: ["socketpair", "unix_stream", "unix_dgram", "unix_seqpacket", "tcp"],
  };
  const looks = looksOf(
    Object.entries(families).flatMap(([family, names]) => names.map((name) => aMechanism(name, family))),
  );
  const quick = ["shm_sysv", "mmap_file", "pipe", "fifo", "unix_stream", "tcp"];
  assert.equal(new Set(quick.map((name) => looks.get(name)?.shape)).size, quick.length);
});

test("no two mechanisms of a family look alike, and markers are closed outlines", () => {
  const mechanisms = ["a", "b", "c", "d", "e", "f", "g"]
    .map((name) => aMechanism(name, "socket"))
    .concat(aMechanism("x", "unheard_of"));
  const looks = [...looksOf(mechanisms).values()];
  assert.equal(new Set(looks.map(({ hue, shade, shape }) => `${hue} ${shade} ${shape}`)).size, looks.length);
  assert.equal(new Set(looks.map(({ hue, shape }) => `${hue} ${shape}`)).size, looks.length);
  for (const { shape } of looks) assert.match(markerPath(shape, 0, 0, 4), /^M[-\d. LaZ]+Z$/);
  assert.deepEqual(
    groupByFamily(mechanisms).map((family) => family.title),
    ["Sockets", "Unheard of"],
  );
});
