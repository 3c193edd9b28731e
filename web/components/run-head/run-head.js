/** A run's name, note and tags, edited in place, and what can be done with the run. */

import { h, setAttribute, setChildren, setText } from "../../js/dom.js";
import { exportAddress } from "../../js/api.js";
import { formatPlural, formatSpan, formatTime } from "../../js/format.js";
import { isOver, stateText, stateTone } from "../../js/words.js";
import { createMenu } from "../menu/menu.js";
import { createEditor } from "./editor.js";

/** @typedef {import("../../js/types.js").Run} Run */

/** @param {Run} run */
function summaryText(run) {
  const parts = [
    run.started_ms === null ? `asked for ${formatTime(run.created_ms)}` : `started ${formatTime(run.started_ms)}`,
  ];
  if (run.started_ms !== null && run.finished_ms !== null)
    parts.push(`took ${formatSpan(run.finished_ms - run.started_ms)}`);
  parts.push(
    isOver(run.state) && run.trials_done === run.trials_total
      ? formatPlural(run.trials_total, "trial")
      : `${run.trials_done} of ${formatPlural(run.trials_total, "trial")}`,
  );
  if (run.trials_failed > 0) parts.push(`${run.trials_failed} failed`);
  return parts.join(" · ");
}

/** @param {Run} run */
export const importedText = ({ imported_ms }) => `Taken elsewhere, imported ${formatTime(imported_ms)}`;

/** What a run can be had as. @param {number} id @returns {import("../menu/menu.js").MenuItem[]} */
export const exportItems = (id) => [
  { text: "Bundle to import elsewhere (JSON)", href: exportAddress(id, "json"), download: true },
  { text: "Figures as a table (CSV)", href: exportAddress(id, "csv"), download: true },
  { text: "Report to read offline (HTML)", href: exportAddress(id, "html"), download: true },
  { text: "Histograms (HdrHistogram log)", href: exportAddress(id, "hlog"), download: true },
];

/** The runs of this experiment on this machine over time. @param {Run} run */
export function trendAddress({ experiment_hash, machine }) {
  return `/trends?${new URLSearchParams({ experiment: experiment_hash ?? "", machine: machine?.full ?? "" })}`;
}

/**
 * @param {object} options
 * @param {(seen: Run, changes: Partial<Pick<Run, "name"|"note"|"tags"|"pinned">>) => Promise<{saved: boolean, run: Run}>} options.onsave
 * @param {(run: Run) => void} options.onrepeat
 * @param {(run: Run) => void} options.ondelete
 * @param {(run: Run) => void} options.onpin
 */
export function createRunHead({ onsave, onrepeat, ondelete, onpin }) {
  /** @type {Run|null} */
  let run = null;
  /** @param {(run: Run) => void} act */
  const withRun = (act) => () => run && act(run);

  const name = h("h1", { tabindex: "-1" });
  const edit = h(
    "button",
    { type: "button", class: "small quiet", "aria-label": "Edit name, tags and note", onclick: withRun(openEditor) },
    "Edit",
  );
  const state = h("span", { class: "chip" });
  const pinned = h("span", { class: "chip" }, "pinned");
  const summary = h("span", { class: "muted" });
  const tags = h("span", { class: "row-tags" });
  const note = h("p", { class: "run-note" });
  const shown = h(
    "div",
    {},
    h("div", { class: "run-title" }, name, edit),
    h("div", { class: "row run-facts" }, state, pinned, summary, tags),
    note,
  );
  const place = h("div", { class: "grow" }, shown);

  const pin = h("button", { type: "button", class: "small", onclick: withRun(onpin) });
  const change = h("a", { class: "button small" }, "Change and run…");
  const compare = h("a", { class: "button small", title: "Choose what to compare it with" }, "Compare with…");
  const trend = h("a", { class: "button small", title: "This experiment over time" }, "Trend");
  const files = createMenu("Export ▾", "Export this run", () => (run ? exportItems(run.id) : []));
  const element = h(
    "div",
    { class: "view-head run-head" },
    place,
    h(
      "div",
      { class: "row no-print" },
      h("button", { type: "button", class: "small", onclick: withRun(onrepeat) }, "Run again"),
      change,
      compare,
      trend,
      files,
      pin,
      h("button", { type: "button", class: "small danger", onclick: withRun(ondelete) }, "Delete"),
    ),
  );

  /** @param {Run} seen */
  function openEditor(seen) {
    let base = seen;
    const editor = createEditor(
      seen,
      async (changes) => {
        const { saved, run: now } = await onsave(base, changes);
        base = now;
        return saved;
      },
      () => {
        setChildren(place, shown);
        edit.focus();
      },
    );
    setChildren(place, editor.element);
    editor.focus();
  }

  return {
    element,
    /** @param {Run} now */
    update(now) {
      run = now;
      setText(name, now.name || `Run ${now.id}`);
      setText(state, stateText(now.state));
      setAttribute(state, "class", `chip ${stateTone(now.state)}`);
      pinned.hidden = !now.pinned;
      setText(summary, summaryText(now));
      setChildren(
        tags,
        now.imported_ms && h("span", { class: "chip", title: importedText(now) }, "imported"),
        now.tags.map((tag) => h("span", { class: "chip" }, tag)),
      );
      note.hidden = !now.note;
      setText(note, now.note);
      setText(pin, now.pinned ? "Unpin" : "Pin");
      setAttribute(pin, "title", now.pinned ? "Let retention thin this run out again" : "Keep this run from retention");
      setAttribute(change, "href", `/?own=${now.id}`);
      setAttribute(compare, "href", `/runs?selected=${now.id}`);
      setAttribute(trend, "href", trendAddress(now));
      trend.hidden = now.experiment_hash === undefined || now.machine === null;
    },
  };
}
