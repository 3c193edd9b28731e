import assert from "node:assert/strict";
import { test } from "node:test";

import { dayMs, filtersOf, isFiltered, selectionOf, withSelected } from "../../web/js/archive.js";

/** @param {string} text */
const query = (text) => new URLSearchParams(text);

test("the last day asked for is part of what is found", () => {
  const { since, until } = filtersOf(query("since=2026-03-14&until=2026-03-14"));
  assert.equal(since, new Date(2026, 2, 14).getTime());
  assert.equal(until, new Date(2026, 2, 15).getTime());
  assert.equal(dayMs("2026-12-31", 1), new Date(2027, 0, 1).getTime());
});

test("what is no day is not asked for", () => {
  for (const text of [null, "", "2026-3-14", "2026-02-30", "14.03.2026", "2026-13-01"])
    assert.equal(dayMs(text), null, String(text));
});

test("filters go to the server as they stand; an order that does not exist is the usual one", () => {
  const filters = filtersOf(query("q=pipe%20x&state=done&tag=a&sort=name&selected=1"));
  assert.deepEqual([filters.q, filters.state, filters.tag, filters.sort], ["pipe x", "done", "a", "name"]);
  assert.equal(filtersOf(query("sort=size")).sort, null);
  assert.equal(isFiltered(query("selected=1,2&sort=id")), false);
  assert.equal(isFiltered(query("tag=a")), true);
});

test("the selection keeps the order of ticking, holds nine, and loses what is unticked", () => {
  assert.deepEqual(selectionOf(query("selected=7,3,7,x,0")), [7, 3]);
  assert.equal(withSelected([7, 3], 5, true), "7,3,5");
  assert.equal(withSelected([7, 3], 7, false), "3");
  assert.equal(withSelected([3], 3, false), null);
  assert.deepEqual(selectionOf(query("selected=1,2,3,4,5,6,7,8,9,10")).length, 9);
  assert.equal(withSelected([1, 2, 3, 4, 5, 6, 7, 8, 9], 10, true), "1,2,3,4,5,6,7,8,9");
});
