/** The catalogue against the programs: whatever key a lab or an experiment can say has a text, and no text is left over. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../", import.meta.url);
/** @param {string} path */
const read = (path) => readFileSync(new URL(path, root), "utf8");
const { labs, claims } = JSON.parse(read("web/messages/en.json"));

/** @param {string} folder */
const sourcesIn = (folder) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(".c"))
    .map((name) => read(`${folder}/${name}`));

/** @param {string} text @param {RegExp} pattern */
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, found]) => found);

/** Words that an expression may have as its value, where it compares others. @param {string} expression */
const wordsIn = (expression) => all(expression.replace(/strcmp\([^()]*\)/g, ""), /"(\w+)"/g);

/** Functions of a file by their names. @param {string} source @returns {Map<string, string>} */
const functionsOf = (source) =>
  new Map([...source.matchAll(/^[a-z][\w ]*[ *](\w+)\([^;{]*\)\n\{\n([\s\S]*?)^\}/gm)].map(([, name, body]) => [name, body]));

/**
 * What a lab can say as its explanation: words, what variables were given, what functions return.
 * @param {string} source
 */
function explanationsOf(source) {
  const functions = functionsOf(source);
  /** @type {Set<string>} */
  const keys = new Set();
  const seen = new Set();
  /** @param {string} expression */
  const follow = (expression) => {
    for (const word of wordsIn(expression)) keys.add(word);
    for (const name of all(expression, /\b([a-z_]\w*)\b/g).filter((one) => !seen.has(one))) {
      seen.add(name);
      for (const value of all(functions.get(name) ?? "", /\breturn ([^;]*);/g)) follow(value);
      for (const value of all(source, new RegExp(`const char \\*${name} = ([^;]*);`, "g"))) follow(value);
    }
  };
  for (const expression of all(source, /\blab_explain\(lab,([^;]*)\);/g)) {
    follow(expression);
    for (const instead of all(expression, /strcmp\([^()]*"(\w+)"\) != 0/g)) keys.delete(instead);
  }
  return keys;
}

test("every explanation a lab can give and everything it can lack has a text, and no text is left over", () => {
  const programs = sourcesIn("workers/labs");
  const any = Object.keys(labs.any.explanations);
  const over = all(programs.join("\n"), /\bover = "(\w+)"/g);
  assert.deepEqual(any.filter((key) => !over.includes(key)), []);
  for (const source of programs) {
    const name = /\.name = "(\w+)",\s+\.number/.exec(source)?.[1] ?? "skeleton";
    if (name === "skeleton") continue; // no lab of the table
    const { explanations, skips } = labs[name];
    for (const key of explanationsOf(source)) assert.ok(explanations[key], `${name} lacks ${key}`);
    for (const key of Object.keys(explanations)) assert.ok(wordsIn(source).includes(key), `${name} never says ${key}`);
    assert.deepEqual(all(source, /\blab_skip\([^;]*"(\w+)"\)/g).sort(), Object.keys(skips).sort(), name);
  }
});

/**
 * The functions of an experiment: the one that is run, and what it calls in its file.
 * @param {string} source @param {string} run
 */
function codeOf(source, run) {
  const functions = functionsOf(source);
  const reached = new Set([run]);
  for (const name of reached)
    for (const called of all(functions.get(name) ?? "", /\b(\w+)\b/g)) if (functions.has(called)) reached.add(called);
  return [...reached].map((name) => functions.get(name) ?? "").join("\n");
}

test("every reason an experiment can give and everything it can lack has a text", () => {
  let seen = 0;
  for (const source of sourcesIn("workers/claims"))
    for (const [, number, run] of source.matchAll(/\.number = (\d+),[\s\S]*?\.run = (\w+),?\n\};/g)) {
      seen++;
      const { text, experiment, why, skips } = claims[number];
      const code = codeOf(source, run);
      assert.ok(text && experiment && why.holds, `claim ${number}`);
      if (/\bcheck_conclude\(check,(?! true,)/.test(code)) assert.ok(why.does_not_hold, `claim ${number} may not hold`);
      const limited = /\bcheck_conclude\((?![^;]*\bfalse\)[;\s])/.test(code);
      assert.equal("conditional" in why, limited, `claim ${number} holds with a condition`);
      for (const key of all(code, /\bcheck_leave_open\([^;]*"(\w+)"\)/g))
        assert.ok(why[key] ?? claims.any.why[key], `claim ${number}: ${key}`);
      for (const key of all(code, /\bcheck_(?:note_)?skip\([^;]*"(\w+)"\)/g))
        assert.ok(skips?.[key] ?? claims.any.skips[key], `claim ${number} lacks ${key}`);
    }
  assert.equal(seen, Object.keys(claims).length - 1, "all but those of any");
});
