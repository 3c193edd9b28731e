import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

import {
  cacheSizes,
  caseKey,
  compareAddress,
  countVerdicts,
  differencesOf,
  driftOf,
  figureOf,
  groupsOf,
  highlighted,
  leavesTrialsOut,
  medianOf,
  pairsOf,
  questionOf,
  rawRatios,
  shareOf,
  statistics,
  trialsNeeded,
  verdict_words,
} from "../../web/js/compare.js";
import { statisticText } from "../../web/js/words.js";
import { aCase, aRun, aTrial, case_key } from "./fixtures.js";

/** @param {Partial<import("../../web/js/types.js").Verdict>} [changes] @returns {import("../../web/js/types.js").Verdict} */
const aVerdict = (changes = {}) => ({
  against: 2,
  ...case_key,
  statistic: "p50",
  distance: "C",
  ratio: 1,
  low: 0.9,
  high: 1.1,
  p: 0.5,
  p_adjusted: 0.5,
  cliffs_delta: 0,
  n: [10, 10],
  margin: 0.02,
  verdict: "inconclusive",
  reason: null,
  trials_needed: null,
  ...changes,
});

const here = dirname(fileURLToPath(import.meta.url));
const { schemas } = parse(readFileSync(join(here, "../../server/api/openapi.yaml"), "utf8")).components;

test("the page knows what the server compares by, and how it judges", () => {
  assert.deepEqual([...statistics].sort(), [...schemas.Compared.enum].sort());
  assert.deepEqual([...verdict_words].sort(), [...schemas.Verdict.properties.verdict.enum].sort());
  for (const name of statistics) assert.ok(statisticText.knows(name), name);
});

/** @param {string} text */
const asked = (text) => questionOf(new URLSearchParams(text));

test("the address is read as far as it makes sense", () => {
  const one = asked("base=17&against=18,17,x,19,18&statistic=p99&max_slower=5%25&verdict=slower&rate=messages_per_s");
  assert.equal(one.base, 17);
  assert.deepEqual(one.against, [18, 19], "each once, and not the base");
  assert.deepEqual([one.statistic, one.max_slower, one.verdict, one.rate], ["p99", "5", "slower", "messages_per_s"]);
  const odd = asked("base=-1&against=0&statistic=mean&max_slower=no&verdict=better&rate=x&highlight=");
  assert.deepEqual([odd.base, odd.against, odd.statistic, odd.max_slower], [null, [], null, null]);
  assert.deepEqual([odd.verdict, odd.rate, odd.highlight], [null, "bytes_per_s", []]);
  assert.equal(asked("base=1&against=2,3,4,5,6,7,8,9,10").against.length, 8);
  assert.equal(compareAddress([17, 18, 19]), "/compare?base=17&against=18,19");
});

test("a limit is a share in per cent, within what the server takes", () => {
  assert.deepEqual(["5", " 5 %", "0.5%", "1000"].map(shareOf), ["5", "5", "0.5", "1000"]);
  assert.deepEqual(["", "0", "-5", "1001", "five", "5%%"].map(shareOf), [null, null, null, null, null, null]);
});

test("cases are told apart by all that they were measured with, and grouped by pattern, size and rate", () => {
  assert.notEqual(caseKey(aCase()), caseKey(aCase({ wait: "poll" })));
  assert.notEqual(caseKey(aCase()), caseKey(aCase({ senders: 2 })));
  assert.equal(caseKey(aCase({ buffer_bytes: 1 })), caseKey(aVerdict()), "what was granted is not part of it");
  const groups = groupsOf([
    aCase({ pattern: "stream", message_bytes: 65536 }),
    aCase({ message_bytes: 4096 }),
    aCase({ mechanism: "fifo" }),
    aCase({ pattern: "paced", rate_hz: 5000 }),
    aCase(),
  ]);
  assert.deepEqual(
    groups.map(({ text, cases }) => [text, cases.length]),
    [
      ["round trip, 64 B", 2],
      ["round trip, 4 KiB", 1],
      ["stream, 64 KiB", 1],
      ["paced, 64 B at 5 k/s", 1],
    ],
  );
});

test("in colour are those the reader chose, or the largest sure changes", () => {
  const list = [
    aVerdict({ mechanism: "pipe", ratio: 0.5 }),
    aVerdict({ mechanism: "fifo", ratio: 1.1, verdict: "slower" }),
    aVerdict({ mechanism: "tcp", ratio: 0.7, verdict: "faster" }),
    aVerdict({ mechanism: "udp", ratio: null, verdict: "not_comparable" }),
  ];
  assert.deepEqual(highlighted(list, []), ["tcp", "fifo", "pipe", "udp"]);
  assert.deepEqual(highlighted(list, ["fifo", "gone"]), ["fifo"]);
  const many = "abcdefgh".split("").map((mechanism) => aVerdict({ mechanism }));
  assert.equal(highlighted(many, []).length, 5);
  assert.deepEqual(countVerdicts(list), { faster: 1, slower: 1, same: 0, inconclusive: 1, not_comparable: 1 });
});

test("the dots are the trials of the distance that was compared, over the base's median", () => {
  /** @param {number} p50 @param {string} distance */
  const trial = (p50, distance = "C") => aTrial({ latency_ns: { p50 }, distance });
  const raw = rawRatios(aVerdict(), [trial(100), trial(200), trial(300), trial(9, "X")], [trial(400), trial(1, "X")]);
  assert.deepEqual(raw, { base: [0.5, 1, 1.5], against: [2] });
  assert.deepEqual(rawRatios(aVerdict(), [], [trial(400)]), { base: [], against: [] });
});

test("a trial's figure is that of the statistic, and a failed trial has none", () => {
  const trial = aTrial({
    latency_ns: { p50: 5, p99: null },
    bytes_per_s: 7,
    messages_per_s: 8,
    cpu_ns: 90,
    messages: 10,
  });
  assert.deepEqual(
    ["p50", "p99", "bytes_per_s", "messages_per_s", "cpu_ns_per_message"].map((name) => figureOf(trial, name)),
    [5, null, 7, 8, 9],
  );
  assert.equal(figureOf({ ...trial, state: "failed" }, "p50"), null);
});

test("drift is each trial over the median of its own case, in the order taken", () => {
  /** @param {number} sequence @param {number} number @param {number} p50 */
  const trial = (sequence, number, p50) => aTrial({ id: sequence, sequence, case: number, latency_ns: { p50 } });
  const drift = driftOf([trial(2, 0, 200), trial(0, 0, 100), trial(1, 1, 7), trial(3, 0, 400)], (one) =>
    figureOf(one, "p50"),
  );
  assert.deepEqual(
    drift.map(({ trial: { sequence }, ratio }) => [sequence, ratio]),
    [
      [0, 0.5],
      [1, 1],
      [2, 1],
      [3, 2],
    ],
  );
  assert.deepEqual(new Set(drift.map(({ moving }) => moving)), new Set([1]), "the middle of all, the window is wider");
});

test("the median of an even number lies between the middle two", () => {
  assert.deepEqual([medianOf([]), medianOf([3]), medianOf([4, 1]), medianOf([9, 1, 2])], [null, 3, 2.5, 2]);
});

test("the trials a case needs to be singled out follow from the smallest p there is", () => {
  // 2/C(2n,n): 1/35 at 4, 1/126 at 5, 1/462 at 6, 1/1716 at 7, 1/6435 at 8.
  assert.deepEqual([1, 6, 7, 23, 24, 80, 86].map(trialsNeeded), [4, 5, 6, 6, 7, 7, 8]);
});

test("only what reads otherwise in one of the runs is a difference", () => {
  const found = differencesOf([
    { kernel: "a", cpus: 2, wait: { memory: "spin" } },
    { kernel: "b", cpus: 2, wait: { memory: "spin" }, caches: "L1" },
  ]);
  assert.deepEqual(found, [
    { name: "kernel", values: ["a", "b"] },
    { name: "caches", values: [null, "L1"] },
  ]);
});

test("cache sizes are read from the machine's words, each level once", () => {
  assert.deepEqual(cacheSizes("L1d 32K (CPUs 0), L1i 64K (CPUs 0), L2 1024K (CPUs 0), L3 32768K (CPUs 0-1)"), [
    { name: "L1", bytes: 32768 },
    { name: "L2", bytes: 1048576 },
    { name: "L3", bytes: 33554432 },
  ]);
  assert.deepEqual(cacheSizes(undefined), []);
});

test("of each experiment the last two runs that ended suggest themselves as a pair", () => {
  const runs = [
    aRun({ id: 5, experiment_hash: "a" }),
    aRun({ id: 4, experiment_hash: "b" }),
    aRun({ id: 3, experiment_hash: "a", state: "cancelled" }),
    aRun({ id: 2, experiment_hash: "a" }),
    aRun({ id: 1, experiment_hash: "a" }),
    aRun({ id: 0 }),
  ];
  assert.deepEqual(
    pairsOf(runs, 8).map(({ base, against }) => [against.id, base.id]),
    [[5, 2]],
  );
});

test("a ratio leaves trials out as soon as the distances of one run's trials differ", () => {
  const alike = aCase({ distance: "C" });
  const mixed = aCase({ distance: "mixed", by_distance: [{ ...alike, distance: "X", trials: 2 }] });
  assert.equal(leavesTrialsOut([{ cases: [alike] }, { cases: [alike] }]), false);
  assert.equal(leavesTrialsOut([{ cases: [alike] }, { cases: [alike, mixed] }]), true);
});
