import assert from "node:assert/strict";
import { test } from "node:test";

import {
  countCases,
  defaultValues,
  estimateMs,
  experimentOf,
  fieldOfPointer,
  hintsOf,
  shellCommand,
  valuesOf,
} from "../../web/js/experiment.js";
import { aMechanism } from "./fixtures.js";

test("an experiment survives the form", () => {
  /** @type {import("../../web/js/types.js").Experiment} */
  const experiment = {
    name: "mine",
    mechanisms: ["pipe", "fifo"],
    patterns: ["round_trip", "stream"],
    message_bytes: { round_trip: [64, 1000, 1234567], stream: [65536] },
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

test("what is left empty is left to the server", () => {
  const experiment = experimentOf({ ...defaultValues(), mechanisms: ["pipe"] });
  for (const name of ["name", "wait", "placement", "buffer_bytes", "seed", "tags", "note"])
    assert.ok(!(name in experiment), name);
});

test("nonsense is sent as written, so that the server can object at the field", () => {
  const experiment = experimentOf({
    ...defaultValues(),
    trials: "many",
    message_bytes: { round_trip: "64, huge", stream: "" },
  });
  assert.equal(experiment.trials, "many");
  assert.deepEqual(experiment.message_bytes, { round_trip: [64, "huge"], stream: [] });
});

test("cases are counted and timed", () => {
  const experiment = experimentOf({
    ...defaultValues(),
    mechanisms: ["pipe", "fifo"],
    message_bytes: { round_trip: "64, 4k", stream: "64k" },
    trials: "10",
    duration_ms: "200",
    warmup_ms: "55",
  });
  assert.equal(countCases(experiment), 6);
  assert.equal(estimateMs(experiment), 6 * 10 * 300);
});

test("hints stand at the field they concern", () => {
  const catalogue = [
    aMechanism("pipe", "byte_stream", { traits: { ...aMechanism("", "").traits, reach: "related", senders: "one" } }),
    aMechanism("mq_posix", "message_queue", { message_bytes_max: 8192 }),
  ];
  const values = {
    ...defaultValues(),
    mechanisms: ["pipe", "mq_posix"],
    relation: "unrelated",
    placement: "same_cpu",
    wait_memory: "spin",
    trials: "3",
    senders: "2",
  };
  assert.deepEqual([...hintsOf(values, catalogue).keys()].sort(), [
    "/message_bytes/stream",
    "/relation",
    "/senders",
    "/trials",
    "/wait/memory",
  ]);
  assert.deepEqual([...hintsOf({ ...defaultValues(), patterns: [] }, catalogue).keys()], ["/mechanisms", "/patterns"]);
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
