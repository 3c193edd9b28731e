/** The page against the description the server serves: what it offers, and that it has words for all of it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

import { defaultValues } from "../../web/js/experiment.js";
import { groupByFamily, looksOf } from "../../web/js/mechanisms.js";
import { offersOf } from "../../web/js/offers.js";
import * as words from "../../web/js/words.js";
import { aMechanism } from "./fixtures.js";

const here = dirname(fileURLToPath(import.meta.url));
const description = parse(readFileSync(join(here, "../../server/api/openapi.yaml"), "utf8"));
const { schemas } = description.components;
const offers = offersOf(description);

test("the form offers what the server takes", () => {
  assert.deepEqual(offers.placements, schemas.Placement.enum);
  assert.deepEqual(offers.relations, schemas.Relation.enum);
  for (const pattern of offers.patterns) assert.ok(pattern in defaultValues().message_bytes, pattern);
  for (const list of [offers.patterns, offers.memory_waits, offers.kernel_waits, offers.verifies])
    assert.ok(list.length > 1 && list.every((word) => typeof word === "string"), JSON.stringify(list));
  for (const wait of [...offers.memory_waits, ...offers.kernel_waits])
    assert.ok(schemas.Wait.enum.includes(wait), wait);
  for (const { min, max } of [offers.senders, offers.receivers]) assert.ok(min === 1 && max >= 1, `${min} to ${max}`);
});

test("references and alternatives are followed", () => {
  const odd = offersOf({
    components: {
      schemas: {
        Rate: { type: "number", minimum: 2, maximum: 9 },
        Experiment: {
          properties: {
            patterns: { type: "array", items: { $ref: "#/components/schemas/Pattern" } },
            wait: { oneOf: [{ enum: ["spin"] }, { properties: { memory: { enum: ["futex"] } } }] },
            rate_hz: {
              oneOf: [
                { type: "null" },
                { $ref: "#/components/schemas/Rate" },
                { type: "array", maxItems: 3, items: { $ref: "#/components/schemas/Rate" } },
              ],
            },
          },
        },
        Pattern: { enum: ["paced"] },
      },
    },
  });
  assert.deepEqual(odd.patterns, ["paced"]);
  assert.deepEqual(odd.memory_waits, ["futex"]);
  assert.deepEqual(odd.rate_hz, { min: 2, max: 9 });
  assert.deepEqual(odd.placements, []);
});

test("there are words for every word of the description", () => {
  /** @type {[string, string[], {knows: (name: string) => boolean}][]} */
  const vocabularies = [
    ["pattern", schemas.Pattern.enum, words.patternText],
    ["wait", schemas.Wait.enum, words.waitText],
    ["placement", schemas.Placement.enum, words.placementText],
    ["relation", schemas.Relation.enum, words.relationText],
    ["verify", offers.verifies, words.verifyText],
    ["state", schemas.RunState.enum, words.stateText],
    ["distance", schemas.Distance.enum.filter(Boolean), words.distanceText],
    ["flag", schemas.Flags.items.enum, words.flagText],
  ];
  for (const [kind, names, text] of vocabularies)
    for (const name of names) assert.ok(text.knows(name), `no words for the ${kind} ${name}`);
});

test("every family has its title, its note and its look, and controls come last", () => {
  /** @type {string[]} */
  const families = schemas.Mechanism.properties.family.enum;
  const catalogue = ["control", "unheard_of", ...families.filter((name) => name !== "control")].map((name) =>
    aMechanism(name, name),
  );
  const groups = groupByFamily(catalogue);
  for (const group of groups.filter(({ name }) => families.includes(name)))
    assert.ok(group.title && group.note, group.name);
  assert.deepEqual(groups.map(({ name }) => name).slice(-2), ["unheard_of", "control"]);
  const looks = looksOf(catalogue);
  const hues = families.map((name) => looks.get(name)?.hue);
  assert.equal(new Set(hues).size, families.length);
});
