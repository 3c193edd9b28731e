import assert from "node:assert/strict";
import { test } from "node:test";

import { linearAxis, logAxis, ratioAxis } from "../../web/js/axes.js";
import { csvText } from "../../web/js/csv.js";

test("an axis of ratios always shows 1, and is not squeezed by one wild interval", () => {
  const near = ratioAxis([0.99, 1.01], { least: 1.1, most: 20 });
  assert.ok(near.low < 1 / 1.1 && near.high > 1.1);
  assert.ok(near.ticks.includes(1));
  const wild = ratioAxis([0.0001, 900], { least: 1.1, most: 20 });
  assert.deepEqual([wild.low, wild.high], [1 / 20, 20]);
  for (const { ticks } of [near, wild, ratioAxis([], { least: 1.1, most: 20 })]) {
    assert.ok(ticks.length >= 3 && ticks.length <= 9, ticks.join());
    assert.deepEqual(
      [...ticks].sort((a, b) => a - b),
      ticks,
    );
  }
});

test("a log axis has at least two ticks inside, however narrow it is", () => {
  for (const values of [[1000], [990, 1010], [1, 9], [1, 1e7], [0.002, 0.5], []]) {
    const { low, high, ticks } = logAxis(values);
    assert.ok(ticks.filter((tick) => tick >= low && tick <= high).length >= 2, `${values}: ${ticks}`);
    for (const value of values) assert.ok(low <= value && value <= high);
  }
});

test("a log axis of two or three decades has ticks all along, also where few decades lie inside", () => {
  assert.deepEqual(logAxis([30_000, 8_000_000]).ticks, [5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6]);
  assert.deepEqual(logAxis([90, 2_000_000]).ticks, [1e2, 1e3, 1e4, 1e5, 1e6]);
});

test("a linear axis goes from round value to round value", () => {
  assert.deepEqual(linearAxis([0, 97]).ticks, [0, 20, 40, 60, 80, 100]);
  assert.deepEqual(linearAxis([3, 3]).ticks.length >= 2, true);
  const { low, high } = linearAxis([12.1, 12.9]);
  assert.ok(low <= 12.1 && high >= 12.9);
});

test("commas, quotes and line ends are quoted", () => {
  assert.equal(
    csvText(
      ["a", "b"],
      [
        ["x,y", 'say "so"'],
        [null, 1.5],
        ["two\nlines", undefined],
      ],
    ),
    'a,b\r\n"x,y","say ""so"""\r\n,1.5\r\n"two\nlines",\r\n',
  );
});
