import assert from "node:assert/strict";
import { test } from "node:test";

import { chosenGroup, highlightedTrends, isRelative, isWorse, relativePoints, runsOf } from "../../web/js/trends.js";
import { aCase } from "./fixtures.js";

/**
 * @param {Partial<import("../../web/js/types.js").TrendSeries>} changes
 * @param {[number, number][]} points  run and value
 * @returns {import("../../web/js/types.js").TrendSeries}
 */
const aSeries = (changes, points = [[1, 100]]) => ({
  ...aCase(),
  statistic: "p50",
  distance: "C",
  change_points: [],
  ...changes,
  points: points.map(([run, value]) => ({ run, created_ms: 1000 * run, value, low: null, high: null, n: 5 })),
});
const change = { run: 3, previous_run: 2, before: 100, after: 150, ratio: 1.5, p: 0.0001 };

test("the places are all runs that any line has, in the order they were taken", () => {
  const runs = runsOf([
    aSeries({}, [
      [3, 1],
      [7, 1],
    ]),
    aSeries({ distance: "X" }, [
      [5, 1],
      [3, 1],
    ]),
  ]);
  assert.deepEqual(
    runs.map(({ run }) => run),
    [3, 5, 7],
  );
});

test("more is worse of a latency, and better of a rate", () => {
  assert.equal(isWorse(change, "p50"), true);
  assert.equal(isWorse(change, "bytes_per_s"), false);
  assert.equal(isWorse({ ...change, ratio: 0.5 }, "bytes_per_s"), true);
});

test("the case shown first is one that moved", () => {
  const series = [aSeries({}), aSeries({ pattern: "stream", message_bytes: 65536, change_points: [change] })];
  assert.equal(chosenGroup(series, null).group?.key, "stream:65536");
  assert.equal(chosenGroup(series, "round_trip:64").group?.key, "round_trip:64");
  assert.equal(chosenGroup([], null).group, undefined);
});

test("in colour are the mechanisms that moved first, unless the reader chose", () => {
  const series = ["a", "b", "c", "d", "e", "f"].map((mechanism) =>
    aSeries({ mechanism, change_points: mechanism === "f" ? [change] : [] }),
  );
  assert.deepEqual(highlightedTrends(series, []), ["f", "a", "b", "c", "d"]);
  assert.deepEqual(highlightedTrends(series, ["c", "gone"]), ["c"]);
});

test("lines that lie far apart are drawn over their own middle, unless the reader says otherwise", () => {
  const [near, far] = [
    aSeries({}, [
      [1, 100],
      [2, 110],
      [3, 90],
    ]),
    aSeries({}, [[1, 9000]]),
  ];
  assert.deepEqual(
    relativePoints(near).map(({ value }) => value),
    [1, 1.1, 0.9],
  );
  assert.equal(isRelative([near], null), false);
  assert.equal(isRelative([near, far], null), true);
  assert.equal(isRelative([near, far], "absolute"), false);
  assert.equal(isRelative([near], "relative"), true);
});
