import assert from "node:assert/strict";
import { test } from "node:test";

import {
  countCases,
  defaultValues,
  estimateMs,
  experimentOf,
  fieldOfPointer,
  repeatedExperiment,
  sentExperiment,
  shellCommand,
  valuesOf,
} from "../../web/js/experiment.js";
import { hintsOf } from "../../web/js/hints.js";
import { aMechanism } from "./fixtures.js";

test("an experiment survives the form", () => {
  /** @type {import("../../web/js/types.js").Experiment} */
  const experiment = {
    name: "mine",
    mechanisms: ["pipe", "fifo"],
    patterns: ["round_trip", "stream", "paced"],
    message_bytes: { round_trip: [64, 1000, 1234567], stream: [65536, 16777216], paced: [64] },
    rate_hz: [1000, 20000],
    trials: 7,
    duration_ms: 100,
    warmup_ms: 0,
    senders: 1,
    receivers: 1,
    relation: "unrelated",
    wait: { memory: "futex", kernel: "poll" },
    placement: "same_cpu",
    buffer_bytes: 1048576,
    verify: "full",
    seed: 42,
    tags: ["a", "b"],
    note: "two\nlines",
  };
  assert.deepEqual(experimentOf(valuesOf(experiment)), experiment);
});

test("what is repeated is what was measured, in an order of its own", () => {
  /** @type {import("../../web/js/types.js").Experiment} */
  const archived = {
    preset: "quick",
    name: "",
    mechanisms: ["pipe"],
    seed: 42,
    buffer_bytes: null,
    tags: ["first-run", "demo"],
  };
  assert.deepEqual(sentExperiment(archived), { preset: "quick", mechanisms: ["pipe"], seed: 42, tags: ["demo"] });
  assert.deepEqual(repeatedExperiment(archived), { preset: "quick", mechanisms: ["pipe"], tags: ["demo"] });
  assert.ok(!("tags" in repeatedExperiment({ tags: ["first-run"] })));
});

test("what is left empty is left to the server", () => {
  const experiment = experimentOf({ ...defaultValues(), mechanisms: ["pipe"] });
  for (const name of ["name", "wait", "placement", "buffer_bytes", "seed", "tags", "note", "rate_hz"])
    assert.ok(!(name in experiment), name);
});

test("nonsense is sent as written, so that the server can object at the field", () => {
  const experiment = experimentOf({
    ...defaultValues(),
    trials: "many",
    patterns: ["round_trip", "stream", "paced"],
    message_bytes: { round_trip: "64, huge", stream: "", paced: "64" },
    rate_hz: "5k, fast",
  });
  assert.equal(experiment.trials, "many");
  assert.deepEqual(experiment.message_bytes, { round_trip: [64, "huge"], stream: [], paced: [64] });
  assert.deepEqual(experiment.rate_hz, [5000, "fast"]);
});

test("cases are counted and timed", () => {
  const experiment = experimentOf({
    ...defaultValues(),
    mechanisms: ["pipe", "fifo"],
    patterns: ["round_trip", "stream", "paced"],
    message_bytes: { round_trip: "64, 4k", stream: "64k", paced: "64, 4k" },
    rate_hz: "1k, 10k, 100k",
    trials: "10",
    duration_ms: "200",
    warmup_ms: "72",
  });
  assert.equal(countCases(experiment), 2 * (2 + 1 + 2 * 3));
  assert.equal(estimateMs(experiment), 18 * 10 * 300);
});

const circumstances = {
  catalogue: [
    aMechanism("pipe", "byte_stream", {
      traits: { ...aMechanism("", "").traits, reach: "related", senders: "one" },
    }),
    aMechanism("mq_posix", "message_queue", { message_bytes_max: 8192 }),
  ],
  cpus: 2,
  rate_hz: { min: 1, max: 1e6 },
};

test("hints stand at the field they concern", () => {
  const values = {
    ...defaultValues(),
    mechanisms: ["pipe", "mq_posix"],
    relation: "unrelated",
    placement: "same_cpu",
    wait_memory: "spin",
    trials: "3",
    senders: "2",
  };
  assert.deepEqual([...hintsOf(values, circumstances).keys()].sort(), [
    "/message_bytes/stream",
    "/relation",
    "/senders",
    "/trials",
    "/wait/memory",
  ]);
  assert.deepEqual(
    [...hintsOf({ ...defaultValues(), patterns: [] }, circumstances).keys()],
    ["/mechanisms", "/patterns"],
  );
});

test("rates are read, and held against what the server takes", () => {
  /** @param {string} rate_hz */
  const hint = (rate_hz) =>
    hintsOf({ ...defaultValues(), mechanisms: ["pipe"], patterns: ["paced"], rate_hz }, circumstances).get("/rate_hz");
  assert.equal(hint("1k, 20k"), undefined);
  assert.match(hint("") ?? "", /At least one/);
  assert.match(hint("5k, fast") ?? "", /Not a rate: fast/);
  assert.match(hint("5k, 2M") ?? "", /outside of it: 2M/);
});

test("what a mechanism cannot do is said with its name", () => {
  const values = { ...defaultValues(), mechanisms: ["pipe"] };
  assert.match(hintsOf({ ...values, senders: "2" }, circumstances).get("/senders") ?? "", /One sender only: pipe/);
  assert.match(hintsOf({ ...values, receivers: "2" }, circumstances).get("/receivers") ?? "", /pattern stream alone/);
  const catalogue = [aMechanism("odd", "technique", { waits: ["block"] })];
  assert.match(
    hintsOf({ ...values, mechanisms: ["odd"], wait_kernel: "poll" }, { ...circumstances, catalogue }).get(
      "/wait/kernel",
    ) ?? "",
    /Cannot wait like this: odd/,
  );
});

test("more workers than CPUs should not spin, and a tiny message cannot name its sender", () => {
  const values = {
    ...defaultValues(),
    mechanisms: ["mq_posix"],
    patterns: /** @type {import("../../web/js/types.js").Pattern[]} */ (["stream"]),
    message_bytes: { round_trip: "", stream: "8", paced: "" },
    wait_memory: "spin",
  };
  assert.deepEqual([...hintsOf(values, circumstances).keys()], []);
  assert.deepEqual(
    [...hintsOf({ ...values, receivers: "2" }, circumstances).keys()],
    ["/message_bytes/stream", "/wait/memory"],
  );
  assert.ok(!hintsOf({ ...values, receivers: "2" }, { ...circumstances, cpus: 8 }).has("/wait/memory"));
});

test("an error finds its field by the longest pointer", () => {
  const known = ["/message_bytes/stream", "/message_bytes/round_trip", "/trials", "/wait/memory"];
  assert.equal(fieldOfPointer("/message_bytes/stream/0", known), "/message_bytes/stream");
  assert.equal(fieldOfPointer("/trials", known), "/trials");
  assert.equal(fieldOfPointer("/trials_more", known), null);
  assert.equal(fieldOfPointer("/wait", known), "/wait/memory");
});

test("the shell command quotes what a user wrote", () => {
  assert.equal(
    shellCommand({ note: "it's" }, "http://h"),
    `curl -sS -X POST http://h/api/v1/runs \\\n  -H 'Content-Type: application/json' \\\n  -d '{"note":"it'\\''s"}'`,
  );
});
