/** What the pages of labs and claims compute: parameters, bytes, evidence, counts, filters, words. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { filterClaims, groupClaims, proofsOf } from "../../web/js/criteria.js";
import { evidenceRows, evidenceText, valueWithUnit } from "../../web/js/evidence.js";
import { rowsOf } from "../../web/js/hexdump.js";
import {
  answerText,
  defaultsOf,
  neighboursOf,
  parametersOf,
  permalinkOf,
  readValue,
  refusalsOf,
  sliderOf,
} from "../../web/js/lab-parameters.js";
import { fillIn, languagesToTry, overlay } from "../../web/js/messages.js";
import { binsOf, holds } from "../../web/js/tally.js";

const web = join(dirname(fileURLToPath(import.meta.url)), "../../web");
const narrow = "\u202f";

/** @type {import("../../web/js/types.js").Lab} */
const lab = {
  name: "sample",
  number: 8,
  title: "",
  question: "",
  teaches: "",
  mechanisms: ["pipe"],
  claims: [38],
  panels: ["lanes"],
  interactive: false,
  duration_ms_max: 10000,
  parameters: [
    {
      ...{ name: "chunk_bytes", type: "integer", min: 1, max: 65536, step: 1, default: 4096, choices: null, title: "Chunk" },
      bounds: [{ kind: "max", by: "lock", when: ["atomic"], limit: 5000 }],
    },
    {
      name: "lock",
      type: "choice",
      min: null,
      max: null,
      step: null,
      bounds: [],
      default: "none",
      choices: [
        { value: "none", title: "No lock" },
        { value: "atomic", title: "Atomic" },
      ],
      title: "Lock",
    },
    { name: "flush", type: "boolean", min: null, max: null, step: null, bounds: [], default: true, choices: null, title: "Flush" },
  ],
  prediction: { type: "integer", min: 0, max: 10, choices: null, tolerance_percent: 0, title: "" },
  next: [],
};

test("an address gives parameters; what it does not name, or names wrongly, has its default", () => {
  assert.deepEqual(parametersOf(lab, new URLSearchParams("chunk_bytes=4097&lock=mutex&flush=false")), {
    chunk_bytes: 4097,
    lock: "none",
    flush: false,
  });
  assert.deepEqual(parametersOf(lab, new URLSearchParams("chunk_bytes=0")), defaultsOf(lab));
});

test("a permalink carries every parameter and reads back as the same", () => {
  const asked = { chunk_bytes: 1, lock: "atomic", flush: false };
  const link = permalinkOf(lab, asked, { attempt: "9" });
  assert.equal(link, "/labs/sample?chunk_bytes=1&lock=atomic&flush=false&attempt=9");
  assert.deepEqual(parametersOf(lab, new URL(link, "http://x").searchParams), asked);
});

test("bounds are inclusive and what is refused says what is allowed", () => {
  const [chunk] = lab.parameters;
  assert.equal(readValue(chunk, "65536").value, 65536);
  for (const text of ["0", "65537", "1.5", "", "x", "1e3"]) assert.equal(readValue(chunk, text).value, null, text);
  assert.match(readValue(chunk, "0").error ?? "", /1 – 65536/);
  assert.match(readValue(lab.parameters[1], "?").error ?? "", /none, atomic/);
});

test("a text is so many printable characters, a number a multiple of its step", () => {
  const text = /** @type {const} */ ({ type: "text", min: 1, max: 5, choices: null });
  for (const [typed, value] of [["GET /", "GET /"], ["", null], ["GET /x", null], ["é", null], ["a\tb", null]])
    assert.equal(readValue(text, String(typed)).value, value, String(typed));
  const record = /** @type {const} */ ({ type: "integer", min: 8, max: 64, step: 8, choices: null });
  for (const [typed, value] of [["16", 16], ["12", null], ["72", null]]) assert.equal(readValue(record, String(typed)).value, value);
});

test("values that do not go together are refused with the parameter that is to be changed", () => {
  const plain = { ...lab.parameters[0], bounds: [] };
  const number = (/** @type {string} */ name, /** @type {any[]} */ ...bounds) => ({ ...plain, name, title: name, bounds });
  /** @type {[any[], object, string[]][]} */
  const cases = [
    [lab.parameters, { chunk_bytes: 5001, lock: "atomic" }, ["/parameters/chunk_bytes"]],
    [lab.parameters, { chunk_bytes: 5000, lock: "atomic" }, []],
    [lab.parameters, { chunk_bytes: 5001, lock: "none" }, []],
    [[number("a", { kind: "product", by: "b", when: [], limit: 100 }), number("b")], { a: 34, b: 3 }, ["/parameters/a"]],
    [[number("a", { kind: "product", by: "b", when: [], limit: 100 }), number("b")], { a: 33, b: 3 }, []],
    [[number("a", { kind: "times", by: "b", when: [], limit: 2 }), number("b")], { a: 7, b: 3 }, ["/parameters/a"]],
    [[number("a", { kind: "times", by: "b", when: [], limit: 2 }), number("b")], { a: 6, b: 3 }, []],
    [[number("a", { kind: "share", by: "b", when: [], limit: 64 }), number("b")], { a: 1, b: 65 }, ["/parameters/a"]],
    [[number("a", { kind: "share", by: "b", when: [], limit: 64 }), number("b")], { a: 2, b: 65 }, []],
    [
      [{ ...lab.parameters[1], bounds: [{ kind: "not", by: "how", when: ["x"], limit: "none" }] }, number("how")],
      { lock: "none", how: "x" },
      ["/parameters/lock"],
    ],
  ];
  for (const [parameters, values, pointers] of cases)
    assert.deepEqual(
      refusalsOf({ ...lab, parameters }, /** @type {any} */ (values)).map(({ pointer }) => pointer),
      pointers,
      JSON.stringify(values),
    );
});

test("neighbours are one change away", () => {
  const next = neighboursOf(lab, defaultsOf(lab));
  assert.deepEqual(
    next.map(({ parameters }) => parameters),
    [
      { chunk_bytes: 4096, lock: "atomic", flush: true },
      { chunk_bytes: 4096, lock: "none", flush: false },
    ],
  );
});

test("a slider reaches both bounds and comes back to what it was set to", () => {
  for (const range of [
    { min: 1, max: 65536 },
    { min: 0, max: 2000 },
    { min: 1, max: 8 },
    { min: 4096, max: 1048576 },
  ]) {
    const slider = sliderOf(range);
    assert.equal(slider.valueAt(0), range.min);
    assert.equal(slider.valueAt(slider.steps), range.max);
    for (let step = 0; step <= slider.steps; step += 10) {
      const value = slider.valueAt(step);
      assert.equal(slider.valueAt(slider.stepOf(value)), value, JSON.stringify({ range, step, value }));
    }
  }
});

test("answers read as their titles, numbers with their thousands apart", () => {
  assert.equal(answerText(lab.parameters[1], "atomic"), "Atomic");
  assert.equal(answerText(lab.prediction, 45066), `45${narrow}066`);
  assert.equal(answerText(lab.prediction, null), "–");
});

test("bytes stand in rows of sixteen, marked where they are marked, repeats folded", () => {
  const rows = rowsOf("41".repeat(16) + "00".repeat(64) + "42", [{ from: 15, to: 17, label: "edge" }], "0x5000000");
  assert.equal(rows.length, 5);
  const [first, second, third, folded, last] = rows;
  assert.ok("cells" in first && "cells" in second && "skipped" in folded && "cells" in third && "cells" in last);
  assert.equal(first.offset, "000005000000");
  assert.equal(first.cells[15].mark, 0);
  assert.equal(second.cells[0].mark, 0);
  assert.equal(second.cells[1].mark, null);
  assert.equal(first.cells[0].printed, "A");
  assert.equal(folded.skipped, 2);
  assert.deepEqual(
    last.cells.map(({ text }) => text),
    ["42"],
  );
  assert.deepEqual(rowsOf("", [], null), []);
});

test("evidence keeps every digit and takes its unit from its name", () => {
  assert.equal(evidenceText("capacity_bytes", 65536), `65${narrow}536 B`);
  assert.equal(evidenceText("bytes_when_blocked", 45066), `45${narrow}066`);
  assert.equal(evidenceText("blocked_ms", 400), "400 ms");
  assert.equal(evidenceText("at_end", true), "value.yes", "a word of the catalogue, which is not read here");
  assert.equal(evidenceText("visitor_errno", null), "value.no_error");
  assert.equal(evidenceText("text_left", null), "–");
  assert.equal(evidenceText("pipe_to_shm_spin_ratio", 254), "254 ×");
  assert.equal(evidenceText("ids", [0, 1]), "0, 1");
  assert.deepEqual(evidenceRows({ capacity_bytes: 1 }), [{ name: "capacity", value: "1 B" }]);
  assert.equal(valueWithUnit(1500, "ns"), "1.50 µs");
  assert.equal(valueWithUnit(1500, "lost"), `1${narrow}500 lost`);
});

test("few values are counted each, many integers in even bins that lose none", () => {
  assert.deepEqual(
    binsOf([
      { value: "eof", count: 1 },
      { value: "hangs", count: 3 },
      { value: "eof", count: 1 },
    ]).map(({ from, count }) => [from, count]),
    [
      ["hangs", 3],
      ["eof", 2],
    ],
  );
  const many = Array.from({ length: 100 }, (_, i) => ({ value: 200000 + 37 * i, count: 1 }));
  const bins = binsOf(many);
  assert.ok(bins.length <= 13);
  assert.equal(
    bins.reduce((sum, { count }) => sum + count, 0),
    100,
  );
  for (const { value } of many) assert.equal(bins.filter((bin) => holds(bin, value)).length, 1);
  const lost = [0, 0, 3, 40, 700, 9000, 12000].map((value) => ({ value, count: 1 }));
  assert.deepEqual(binsOf(lost).slice(0, 2), [{ from: 0, to: 0, count: 2 }, { from: 1, to: 1999, count: 3 }], "nothing is not a little");
  assert.equal(binsOf([...lost.slice(2), { value: 5000, count: 1 }])[0].from, 1);
  assert.deepEqual(binsOf([-9000, 0, 10, 500, 9000, 300].map((value) => ({ value, count: 1 }))).filter((bin) => holds(bin, 0)).length, 1);
  assert.equal(holds({ from: "eof", to: "eof", count: 1 }, undefined), false);
});

/** @param {number} number @param {object} more @returns {any} */
const claim = (number, more) => ({ number, text: "", experiment: "", also: [], criteria: [], latest: null, ...more });

test("claims are found by words, verdict, mechanism and criterion, and grouped in the order of the course", () => {
  const claims = [
    claim(38, { mechanism: "pipe", text: "Capacity is limited", criteria: ["synchronises", "count"], latest: { verdict: "conditional" } }),
    claim(1, { mechanism: "shm_sysv", text: "Plain writes", latest: { verdict: "holds" } }),
    claim(2, { mechanism: "pipe", text: "One way", also: ["fifo"], criteria: ["direction"] }),
  ];
  /** @param {string} query */
  const found = (query) => filterClaims(claims, new URLSearchParams(query)).map(({ number }) => number);
  assert.deepEqual(found("q=capacity+pipe"), [38]);
  assert.deepEqual(found("verdict=holds"), [1]);
  assert.deepEqual(found("verdict=unchecked"), [2]);
  assert.deepEqual(found("mechanism=pipe&criterion=direction"), [2]);
  assert.deepEqual([found("criterion=count"), found("mechanism=fifo")], [[38], [2]]);
  assert.deepEqual(
    groupClaims(claims).map(({ mechanism, claims: list }) => [mechanism, ...list.map(({ number }) => number)]),
    [
      ["shm_sysv", 1],
      ["pipe", 2, 38],
    ],
  );
  const { hrefOf } = proofsOf([...claims, claim(39, { mechanism: "pipe", criteria: ["synchronises"] })]);
  assert.equal(hrefOf("pipe", "direction"), "/claims/2");
  assert.equal(hrefOf("fifo", "direction"), "/claims/2");
  assert.equal(hrefOf("pipe", "count"), "/claims/38");
  assert.equal(hrefOf("pipe", "synchronises"), "/claims?mechanism=pipe&criterion=synchronises");
  assert.equal(hrefOf("tcp", "reach"), null);
});

test("a language lies over the English one, and shows it where it has nothing", () => {
  assert.deepEqual(overlay({ page: { a: "uno" } }, { page: { a: "one", b: "two" }, labs: {} }), {
    page: { a: "uno", b: "two" },
    labs: {},
  });
  assert.deepEqual(languagesToTry(["it-IT", "it", "en-US", "de"]), ["it"]);
  assert.deepEqual(languagesToTry(["en-GB", "it"]), []);
  assert.equal(fillIn("{said} {unknown}", { said: 3 }), "3 {unknown}");
});

test("every sentence the page asks for by name is in the catalogue, and none is there for nothing", () => {
  const { page } = JSON.parse(readFileSync(join(web, "messages/en.json"), "utf8"));
  const files = ["components/lab", "components/claims", "components/matrix"].flatMap((folder) =>
    readdirSync(join(web, folder))
      .filter((name) => name.endsWith(".js"))
      .map((name) => join(web, folder, name)),
  );
  const scripts = ["messages", "lab-parameters", "evidence"].map((name) => join(web, `js/${name}.js`));
  const sources = [...files, ...scripts, ...["lab", "labs", "claim", "claims"].map((name) => join(web, `views/${name}.js`))]
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  /** @type {string[]} */
  const keys = [];
  /** @param {any} part @param {string} path */
  const walk = (part, path) => {
    for (const [name, value] of Object.entries(part)) {
      if (typeof value === "string") keys.push(path + name);
      else walk(value, `${path}${name}.`);
    }
  };
  walk(page, "");
  const counted = keys.map((key) => key.replace(/\.(one|many)$/, ""));
  const asked = [...sources.matchAll(/"([a-z_]+(?:\.[a-z_]+)+|reading)"/g)].map((match) => match[1]);
  const heads = new Set(Object.keys(page));
  for (const key of asked.filter((one) => heads.has(one.split(".")[0])))
    assert.ok(counted.includes(key), `the catalogue lacks page.${key}`);
  const composed = [...sources.matchAll(/`([a-z_.]+)\$\{/g)].map((match) => match[1]).filter((one) => one.includes("."));
  for (const key of counted)
    assert.ok(
      asked.includes(key) || composed.some((head) => key.startsWith(head)),
      `nothing asks for page.${key}`,
    );
});
