import assert from "node:assert/strict";
import { test } from "node:test";

import * as format from "../../web/js/format.js";

/** @param {(value: any) => string} formatter @param {[any, string][]} table */
function expectTexts(formatter, table) {
  for (const [value, text] of table) assert.equal(formatter(value), text, `${formatter.name}(${value})`);
}

test("numbers have three significant digits and no exponent", () => {
  expectTexts(format.formatNumber, [
    [0, "0"],
    [1, "1.00"],
    [9.994, "9.99"],
    [9.996, "10.0"],
    [99.95, "100"],
    [0.000123456, "0.000123"],
    [-2.5, "-2.50"],
    [1234, "1\u202f230"],
    [null, "–"],
    [undefined, "–"],
    [NaN, "–"],
    [Infinity, "–"],
  ]);
});

test("the unit of a time is chosen after rounding", () => {
  expectTexts(format.formatNs, [
    [52.14, "52.1 ns"],
    [190, "190 ns"],
    [999.4, "999 ns"],
    [999.6, "1.00 µs"],
    [6100, "6.10 µs"],
    [999_600, "1.00 ms"],
    [2.5e9, "2.50 s"],
  ]);
});

test("sizes are binary, rates are decimal", () => {
  expectTexts(format.formatBytes, [
    [1, "1 B"],
    [64, "64 B"],
    [1000, "1\u202f000 B"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [65536, "64 KiB"],
    [1048576, "1 MiB"],
    [10485760, "10 MiB"],
    [104857600, "100 MiB"],
  ]);
  expectTexts(format.formatByteRate, [
    [6.9e9, "6.90 GB/s"],
    [999.9e6, "1.00 GB/s"],
    [12_300, "12.3 kB/s"],
  ]);
  expectTexts(format.formatGigabytes, [
    [812e6, "0.812"],
    [15.25e9, "15.3"],
    [null, "–"],
  ]);
  expectTexts(format.formatMessageRate, [
    [1.5e6, "1.50 M/s"],
    [20, "20.0 /s"],
  ]);
});

test("an interval names its unit once, and its absence", () => {
  assert.equal(format.formatInterval({ value: 6100, low: 6020, high: 6190 }, format.formatNs), "6.02–6.19 µs");
  assert.equal(format.formatInterval({ value: 1000, low: 990, high: 1010 }, format.formatNs), "990 ns – 1.01 µs");
  assert.equal(format.formatInterval({ value: 2, low: 1, high: 3 }, format.formatNumber), "1.00 – 3.00");
  assert.equal(format.formatInterval({ value: 2, low: null, high: null }, format.formatNs), "no interval");
  assert.equal(format.formatInterval(null, format.formatNs), "no interval");
});

test("a cost per message does not pretend to more than it is", () => {
  expectTexts(format.formatPerMessage, [
    [0, "0"],
    [0.000387, "<0.001"],
    [0.0388, "0.039"],
    [1.994, "1.99"],
    [null, "–"],
  ]);
  assert.equal(format.formatInterval({ value: 2, low: 2, high: 2 }, format.formatPerMessage), "2.00");
});

test("spans and estimates read as people say them", () => {
  expectTexts(format.formatSpan, [
    [0, "0 s"],
    [120, "120 ms"],
    [8_400, "8 s"],
    [60_000, "1 min"],
    [70_000, "1 min 10 s"],
    [7_500_000, "2 h 5 min"],
    [null, "–"],
  ]);
  expectTexts(format.formatEstimate, [
    [300, "1 s"],
    [8_700, "9 s"],
    [43_000, "45 s"],
    [71_000, "1 min 10 s"],
    [1_330_000, "22 min"],
  ]);
});

test("a percentage never reaches 100 before the end", () => {
  assert.equal(format.formatPercent(119.9, 120), "99 %");
  assert.equal(format.formatPercent(120, 120), "100 %");
  assert.equal(format.formatPercent(0, 0), "0 %");
});

test("counts are grouped, plurals agree", () => {
  expectTexts(format.formatCount, [
    [999, "999"],
    [1_234_567, "1\u202f234\u202f567"],
    [null, "–"],
  ]);
  assert.equal(format.formatPlural(1, "trial"), "1 trial");
  assert.equal(format.formatPlural(0, "trial"), "0 trials");
});

test("sizes are read as they are shown", () => {
  for (const [text, bytes] of /** @type {[string, number|null][]} */ ([
    ["64", 64],
    [" 64 B ", 64],
    ["4k", 4096],
    ["4 KiB", 4096],
    ["1MiB", 1048576],
    ["1.5 KiB", 1536],
    ["0.3k", null],
    ["", null],
    ["-4", null],
    ["4 XB", null],
    ["1e3", null],
  ])) {
    assert.equal(format.parseBytes(text), bytes, JSON.stringify(text));
  }
});

test("rates asked for are short, and read back", () => {
  expectTexts(format.formatOfferedRate, [
    [1, "1 /s"],
    [500, "500 /s"],
    [5000, "5 k/s"],
    [12500, "12.5 k/s"],
    [20000, "20 k/s"],
    [1e7, "10 M/s"],
  ]);
  for (const [text, count] of /** @type {[string, number|null][]} */ ([
    ["500", 500],
    [" 20k ", 20000],
    ["1.5M", 1500000],
    ["", null],
    ["fast", null],
    ["-1", null],
    ["1e3", null],
  ])) {
    assert.equal(format.parseCount(text), count, JSON.stringify(text));
  }
});

test("shares are told however small", () => {
  expectTexts(format.formatShare, [
    [0, "0 %"],
    [0.0006, "0.06 %"],
    [0.034, "3 %"],
    [0.245, "25 %"],
    [null, "–"],
  ]);
  expectTexts(format.formatFrequency, [
    [2.4e9, "2.40 GHz"],
    [null, "–"],
  ]);
});
