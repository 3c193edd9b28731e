/** The ledger takes what is told of a check in any order, and comes to the same. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ledgerOf, withCheck } from "../../web/js/ledger.js";

/** @typedef {import("../../web/js/types.js").Check} Check */

/** @param {number} number @param {Check|null} [latest] @returns {import("../../web/js/types.js").Claim} */
const claim = (number, latest = null) => ({
  number,
  mechanism: "pipe",
  also: [],
  criteria: [],
  timed: false,
  text: "",
  experiment: "",
  source: "",
  labs: [],
  latest,
});

/** @param {number} id @param {Check["state"]} state @param {number} [of] @returns {Check} */
const check = (id, state, of = 38) => ({
  id,
  claim: of,
  state,
  verdict: state === "done" ? "conditional" : null,
  evidence: {},
  why: null,
});

/** @param {import("../../web/js/ledger.js").Ledger} ledger */
const stateOf = ({ claims, pending }) => ({
  latest: claims.map(({ latest }) => latest?.id ?? null),
  pending: [...pending.values()].map(({ id, state }) => `${id} ${state}`),
});

const fresh = () => ledgerOf([claim(38), claim(39)], [], []);

test("a check goes from queued over running to done, and becomes the latest", () => {
  const queued = withCheck(fresh(), check(5, "queued"));
  assert.deepEqual(stateOf(queued), { latest: [null, null], pending: ["5 queued"] });
  const running = withCheck(queued, check(5, "running"));
  assert.deepEqual(stateOf(running), { latest: [null, null], pending: ["5 running"] });
  assert.deepEqual(stateOf(withCheck(running, check(5, "done"))), { latest: [5, null], pending: [] });
});

test("an answer that comes after the event does not bring a check back that is over", () => {
  const done = withCheck(fresh(), check(5, "done"));
  assert.equal(withCheck(done, check(5, "queued")), done);
  assert.equal(withCheck(done, check(5, "running")), done);
  const running = withCheck(fresh(), check(5, "running"));
  assert.equal(withCheck(running, check(5, "queued")), running);
  assert.deepEqual(stateOf(withCheck(done, check(6, "queued"))), { latest: [5, null], pending: ["6 queued"] });
});

test("an event that was missed is made up for by the ledger as it is read again", () => {
  const missed = ledgerOf([claim(38, check(5, "done")), claim(39)], [], []);
  assert.deepEqual(stateOf(missed), { latest: [5, null], pending: [] });
  const others = ledgerOf([claim(38), claim(39)], [check(7, "running"), check(8, "queued", 39)], []);
  assert.deepEqual(stateOf(others), { latest: [null, null], pending: ["7 running", "8 queued"] });
});

test("what was heard while the ledger was read is not lost", () => {
  const heard = [check(5, "queued"), check(5, "done")];
  assert.deepEqual(stateOf(ledgerOf([claim(38)], [check(5, "queued")], heard)), { latest: [5], pending: [] });
});

test("a check that failed is shown; one that was cancelled leaves what was known", () => {
  const known = ledgerOf([claim(38, check(3, "done"))], [check(5, "queued")], []);
  assert.deepEqual(stateOf(withCheck(known, check(5, "failed"))), { latest: [5], pending: [] });
  const cancelled = withCheck(known, check(5, "cancelled"));
  assert.deepEqual(stateOf(cancelled), { latest: [3], pending: [] });
  assert.equal(withCheck(cancelled, check(5, "queued")), cancelled);
});
