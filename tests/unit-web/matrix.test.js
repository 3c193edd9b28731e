import assert from "node:assert/strict";
import { test } from "node:test";

import { modelOf } from "../../web/components/matrix/model.js";
import { aCase, aMechanism, aRun } from "./fixtures.js";

/** @type {import("../../web/js/figures.js").Choice} */
const choice = { round_trip_bytes: 64, stream_bytes: 65536, placement: null, wait: null };

/** @param {string} mechanism @param {number} bytes_per_s */
const streamed = (mechanism, bytes_per_s) => ({
  run: aRun(),
  case: aCase({
    mechanism,
    pattern: "stream",
    message_bytes: 65536,
    latency_ns: null,
    bytes_per_s: { value: bytes_per_s, low: null, high: null },
  }),
});

test("families stand in their order whatever the catalogue's, controls last", () => {
  const mechanisms = [
    aMechanism("null", "control"),
    aMechanism("pipe", "byte_stream"),
    aMechanism("shm_sysv", "memory"),
    aMechanism("fifo", "byte_stream"),
  ];
  const { rows } = modelOf({ mechanisms, figures: [], choice, current: null, sample: null, proofs: null });
  assert.deepEqual(
    rows.map(({ key }) => key),
    ["family memory", "shm_sysv", "family byte_stream", "pipe", "fifo", "family control", "null"],
  );
});

test("a column for longer messages than a mechanism carries says how long they may be", () => {
  const mechanisms = [aMechanism("mq_posix", "message_queue", { message_bytes_max: 8192 }), aMechanism("pipe", "byte_stream")];
  const { rows } = modelOf({ mechanisms, figures: [], choice, current: null, sample: null, proofs: null });
  const longest = rows.flatMap(({ row }) => (row ? [[row.mechanism.name, row.longest_bytes]] : []));
  assert.deepEqual(Object.fromEntries(longest), {
    mq_posix: { round_trip: null, stream: 8192 },
    pipe: { round_trip: null, stream: null },
  });
});

test("a control does not stretch the bars of what carries data", () => {
  const { rows } = modelOf({
    mechanisms: [aMechanism("null", "control"), aMechanism("pipe", "byte_stream")],
    figures: [streamed("null", 1e12), streamed("pipe", 2e9)],
    choice,
    current: null,
    sample: null,
    proofs: null,
  });
  const pipe = rows.find(({ key }) => key === "pipe");
  assert.equal(pipe?.row?.fastest_bytes_per_s, 2e9);
});
