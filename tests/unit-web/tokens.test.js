/** The colours of the page: enough contrast in both themes, and a hue of its own for each family. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const css = readFileSync(join(here, "../../web/css/tokens.css"), "utf8");

/** @type {Map<string, [string, string]>} name → light, dark */
const tokens = new Map(
  [...css.matchAll(/--([a-z]+(?:-[a-z0-9]+)*): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    ([, name, light, dark]) => [name, [light, dark]],
  ),
);
const marks = [...tokens.keys()].filter((name) => /-\d$/.test(name));

/** @param {string} name @param {number} theme  0 light, 1 dark */
const colourOf = (name, theme) => tokens.get(name)?.[theme] ?? assert.fail(`no token --${name}`);

/** @param {string} colour */
const channelsOf = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);

/** Relative luminance, WCAG 2.2. @param {string} colour */
function luminanceOf(colour) {
  const [r, g, b] = channelsOf(colour).map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {string} a @param {string} b */
function contrastOf(a, b) {
  const [dark, light] = [luminanceOf(a), luminanceOf(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

/** In degrees. @param {string} colour */
function hueOf(colour) {
  const [r, g, b] = channelsOf(colour);
  const [low, high] = [Math.min(r, g, b), Math.max(r, g, b)];
  const span = high - low || 1;
  const sector = high === r ? (g - b) / span : high === g ? (b - r) / span + 2 : (r - g) / span + 4;
  return (60 * sector + 360) % 360;
}

for (const [theme, name] of ["light", "dark"].entries()) {
  test(`marks stand out from what they lie on, ${name}`, () => {
    assert.ok(marks.length > 20);
    for (const mark of marks) {
      for (const ground of ["surface", "surface-quiet", "accent-quiet"]) {
        const contrast = contrastOf(colourOf(mark, theme), colourOf(ground, theme));
        assert.ok(contrast >= 3, `--${mark} on --${ground}: ${contrast.toFixed(2)}`);
      }
    }
  });

  test(`text can be read, ${name}`, () => {
    for (const ink of ["ink", "ink-muted", "accent", "good", "bad", "warn"]) {
      for (const ground of ["page", "surface", "surface-quiet", "accent-quiet"]) {
        const contrast = contrastOf(colourOf(ink, theme), colourOf(ground, theme));
        assert.ok(contrast >= 4.5, `--${ink} on --${ground}: ${contrast.toFixed(2)}`);
      }
    }
  });

  test(`no two families share a hue, ${name}`, () => {
    const coloured = marks.filter((mark) => !mark.startsWith("other"));
    for (const one of coloured) {
      for (const other of coloured) {
        if (one.split("-")[0] === other.split("-")[0]) continue;
        const apart = Math.abs(hueOf(colourOf(one, theme)) - hueOf(colourOf(other, theme)));
        assert.ok(Math.min(apart, 360 - apart) >= 15, `--${one} and --${other} are ${apart.toFixed(0)}° apart`);
      }
    }
  });
}

test("every shade that a look may have is a colour", () => {
  for (const mark of marks) {
    const [hue, shade] = mark.split("-");
    const selector = shade === "1" ? `[data-hue="${hue}"] {` : `[data-hue="${hue}"][data-shade="${shade}"] {`;
    assert.ok(css.includes(`${selector}\n  --mark: var(--${mark});`), mark);
  }
});
