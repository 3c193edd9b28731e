/**
 * The panels of the labs: what bytes, mappings, descriptors, counters and terminals show at one time. Each is a table or
 * text by nature, so none needs a twin. Lanes and the gauge run along time and live beside the axis.
 */

import { h, setChildren, setText, syncChildren } from "../../js/dom.js";
import { formatByteRate, formatMoment, formatNs } from "../../js/format.js";
import { evidenceName, valueWithUnit } from "../../js/evidence.js";
import { say } from "../../js/messages.js";
import { createName } from "../marker/marker.js";
import { createHexdump } from "./hexdump.js";
import { createStrip } from "./strip.js";
import { createTally } from "./tally.js";

/**
 * @typedef {import("../../js/types.js").Panel} Panel
 * @typedef {import("../../js/dom.js").Child} Child
 * @typedef {import("../../js/mechanisms.js").Legend} Legend
 * @typedef {(data: any, legend: Legend) => Child|Child[]} Drawing
 */

/**
 * @param {string} caption
 * @param {string[]} heads
 * @param {Child[][]} rows  the first cell names its row
 * @param {{kind?: string, classes?: string[], row_classes?: string[]}} [looks]
 */
function createTable(caption, heads, rows, { kind = "", classes = [], row_classes = [] } = {}) {
  return h(
    "table",
    { class: `data-table ${kind}` },
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", {}, h("tr", {}, heads.map((text, i) => h("th", { scope: "col", class: classes[i] ?? null }, text)))),
    h(
      "tbody",
      {},
      rows.map(([first, ...cells], row) =>
        h(
          "tr",
          { class: row_classes[row] ?? null },
          h("th", { scope: "row", class: classes[0] ?? null }, first),
          cells.map((cell, i) => h("td", { class: classes[i + 1] ?? null }, cell)),
        ),
      ),
    ),
  );
}

/** A line of /proc/PID/maps in its six parts. @param {string} line */
function mapsLine(line) {
  const [range = "", rights = "", offset = "", device = "", inode = "", ...path] = line.trim().split(/\s+/);
  return { range, rights, offset, device, inode, path: path.join(" ") };
}

/** @type {Drawing} */
const drawMaps = ({ worker, lines }) => {
  const parts = lines.map(mapsLine);
  if (parts.length === 0) return h("p", { class: "muted" }, say("maps.none"));
  const heads = ["range", "rights", "offset", "device", "inode", "path"].map((name) => say(`maps.${name}`));
  return createTable(
    say("maps.caption", { worker: worker ?? "" }),
    heads,
    parts.map((/** @type {any} */ one) => [one.range, one.rights, one.offset, one.device, one.inode, one.path]),
    { kind: "mono", row_classes: parts.map((/** @type {any} */ { path }) => (/^\[/.test(path) ? "aside" : "")) },
  );
};

/** @type {Drawing} */
const drawCounters = ({ counters }) =>
  h(
    "dl",
    { class: "counters" },
    counters.map((/** @type {any} */ { name, value, unit }) =>
      h("div", {}, h("dt", {}, evidenceName(name)), h("dd", {}, valueWithUnit(value, unit))),
    ),
  );

/** @type {Drawing} */
const drawHistogram = ({ values, unit }) =>
  createTally({
    caption: say("histogram.caption", { count: values.length }),
    head: say("histogram.value"),
    count_head: say("histogram.count"),
    counted: values.map((/** @type {number} */ value) => ({ value, count: 1 })),
    unit: unit ?? "",
  });

/** @type {Drawing} */
const drawMatrix = ({ rows, columns, cells }, legend) => {
  /** @param {string} name */
  const titleOf = (name) => {
    const key = `matrix.names.${name}`;
    const title = say(key);
    return title === key ? legend.titleOf(name) : title;
  };
  /** @param {{value: unknown, ok: boolean|null}|null} cell */
  const cellOf = (cell) =>
    cell &&
    h(
      "span",
      { class: cell.ok === null ? "" : cell.ok ? "good" : "bad" },
      cell.ok !== null && h("span", { "aria-hidden": "true" }, cell.ok ? "✓ " : "✕ "),
      cell.ok !== null && h("span", { class: "visually-hidden" }, say(cell.ok ? "matrix.ok" : "matrix.refused")),
      String(cell.value ?? ""),
    );
  return createTable(
    say("panel.matrix"),
    ["", ...columns.map(titleOf)],
    rows.map((/** @type {string} */ row, /** @type {number} */ i) => [titleOf(row), ...(cells[i] ?? []).map(cellOf)]),
    { kind: "outcome-matrix" },
  );
};

/** @type {Drawing} */
const drawDescriptors = ({ worker, rows }) =>
  createTable(
    say("descriptors.caption", { worker: worker ?? "" }),
    [say("descriptors.fd"), say("descriptors.what"), say("descriptors.state")],
    rows.map((/** @type {any} */ { fd, what, open }) => [
      String(fd),
      what,
      h(
        "span",
        { class: open ? "good" : "muted" },
        h("span", { "aria-hidden": "true" }, open ? "● " : "○ "),
        say(open ? "descriptors.open" : "descriptors.closed"),
      ),
    ]),
    { classes: ["number mono"], row_classes: rows.map((/** @type {any} */ { open }) => (open ? "" : "closed")) },
  );

/** @type {Drawing} */
const drawRanking = ({ rows }, legend) => {
  const slowest = Math.max(1, ...rows.map((/** @type {any} */ { p50_ns }) => p50_ns ?? 0));
  return createTable(
    say("panel.ranking"),
    [say("ranking.mechanism"), "", "p50", "p99", say("ranking.throughput")],
    rows.map((/** @type {any} */ { mechanism, p50_ns, p99_ns, bytes_per_s }) => {
      const look = legend.lookOf(mechanism);
      const fill = h("span", { class: "tally-fill" });
      fill.style.width = `${(100 * (p50_ns ?? 0)) / slowest}%`;
      return [
        createName(look, legend.titleOf(mechanism)),
        h("span", { class: "tally-track", "data-hue": look.hue, "data-shade": look.shade, "aria-hidden": "true" }, fill),
        formatNs(p50_ns),
        formatNs(p99_ns),
        formatByteRate(bytes_per_s),
      ];
    }),
    { kind: "ranking", classes: ["", "tally-bar", "number", "number", "number"] },
  );
};

/** @type {Record<string, Drawing>} */
const drawings = {
  hexdump: (data) => createHexdump(data),
  maps: drawMaps,
  strip: (data) => createStrip(data),
  counters: drawCounters,
  histogram: drawHistogram,
  matrix: drawMatrix,
  descriptors: drawDescriptors,
  ranking: drawRanking,
};

/** Those that are drawn from one picture at a time. @param {string} kind */
export const isPicture = (kind) => kind in drawings;

/** @param {Panel} first */
function createPicture(first) {
  const title = h("h4", {});
  const when = h("small", { class: "muted" });
  const body = h("div", { class: "scroll-x", role: "region", tabindex: "0" });
  let shown = "";
  return {
    element: h("div", { class: "picture" }, h("div", { class: "card-head picture-head" }, title, when), body),
    /** @param {{panel: Panel, legend: Legend}} item */
    update({ panel, legend }) {
      const now = JSON.stringify(panel);
      if (now === shown) return;
      shown = now;
      const name = String(panel.data.title ?? panel.name);
      setText(title, name);
      title.hidden = name === "";
      when.hidden = title.hidden;
      body.setAttribute("aria-label", `${say(`panel.${first.panel}`)} ${name}`);
      setText(when, say("panel.at", { time: formatMoment(panel.at_ns) }));
      setChildren(body, drawings[panel.panel](panel.data, legend));
    },
  };
}

/** All pictures of one kind, in one card. @param {string} kind */
function createKind(kind) {
  const pictures = h("div", { class: "pictures" });
  return {
    element: h(
      "section",
      { class: `card panel panel-${kind}`, "aria-label": say(`panel.${kind}`) },
      h("h3", {}, say(`panel.${kind}`)),
      pictures,
    ),
    /** @param {{panels: Panel[], legend: Legend}} item */
    update({ panels, legend }) {
      syncChildren(
        pictures,
        panels.map((panel) => ({ panel, legend })),
        ({ panel }) => panel.name,
        ({ panel }) => createPicture(panel),
      );
    },
  };
}

export function createPictures() {
  const element = h("div", { class: "panels", hidden: true });
  return {
    element,
    /** @param {Panel[]} panels  one of a kind and name each, as they are at the cursor @param {Legend} legend */
    update(panels, legend) {
      element.hidden = panels.length === 0;
      const kinds = [...new Set(panels.map(({ panel }) => panel))];
      syncChildren(
        element,
        kinds.map((kind) => ({ kind, panels: panels.filter(({ panel }) => panel === kind), legend })),
        ({ kind }) => kind,
        ({ kind }) => createKind(kind),
      );
    },
  };
}
