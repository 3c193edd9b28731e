/** One run in the archive: ticked, pinned, edited, exported and deleted where it stands. */

import { h, renewChildren, setAttribute, setChildren, setText } from "../../js/dom.js";
import { formatSpan, formatTime } from "../../js/format.js";
import { stateText, stateTone } from "../../js/words.js";
import { createMenu } from "../menu/menu.js";
import { createEditor } from "../run-head/editor.js";
import { exportItems, importedText, trendAddress } from "../run-head/run-head.js";
import { archiveAddress } from "./ask.js";

/**
 * @typedef {import("../../js/types.js").Run} Run
 * @typedef {Partial<Pick<Run, "name"|"note"|"tags"|"pinned">>} Changes
 *
 * @typedef {object} Actions
 * @property {(run: Run, on: boolean) => void} onselect
 * @property {(seen: Run, changes: Changes) => Promise<{saved: boolean, run: Run}>} onsave
 * @property {(run: Run) => void} onpin
 * @property {(run: Run) => void} ondelete
 *
 * @typedef {{run: Run, selected: number, full: boolean, machine: string}} Item  selected: its place, from 1; 0: not
 */

/** @param {Run} run */
function timeText(run) {
  const from = run.started_ms ?? run.created_ms;
  const took =
    run.started_ms !== null && run.finished_ms !== null ? `, ${formatSpan(run.finished_ms - run.started_ms)}` : "";
  return formatTime(from) + took;
}

/** @param {Run} run */
const trialsText = (run) =>
  `${run.trials_done} / ${run.trials_total}${run.trials_failed ? `, ${run.trials_failed} failed` : ""}`;

/**
 * Name, tags and note, and in their place the form that edits them.
 * @param {() => Run} current
 * @param {Actions} actions
 */
function createTitle(current, { onsave }) {
  const name = h("a", {});
  const tags = h("span", { class: "row-tags" });
  const note = h("div", { class: "archive-note" });
  const edit = h("button", { type: "button", class: "small quiet archive-edit", onclick: open }, "Edit");
  const shown = h("div", {}, h("div", { class: "archive-title" }, name, tags, edit), note);
  const element = h("th", { scope: "row" }, shown);
  let tags_shown = "";

  function open() {
    let base = current();
    const editor = createEditor(
      base,
      async (changes) => {
        const { saved, run } = await onsave(base, changes);
        base = run;
        return saved;
      },
      () => {
        setChildren(element, shown);
        edit.focus();
      },
    );
    setChildren(element, editor.element);
    editor.focus();
  }

  return {
    element,
    open,
    /** @param {Run} run */
    update(run) {
      setText(name, run.name || `Run ${run.id}`);
      setAttribute(name, "href", `/runs/${run.id}`);
      setAttribute(edit, "aria-label", `Edit name, tags and note of run ${run.id}`);
      const links = run.tags.map((tag) => ({ tag, href: archiveAddress({ tag }) }));
      const now = JSON.stringify([run.imported_ms, links]);
      // A link that were renewed with every trial would be gone before a press of the button is over.
      if (now !== tags_shown)
        renewChildren(
          tags,
          run.imported_ms && h("span", { class: "chip", title: importedText(run) }, "imported"),
          links.map(({ tag, href }) => h("a", { class: "chip", href, title: `Only runs with the tag ${tag}` }, tag)),
        );
      tags_shown = now;
      note.hidden = !run.note;
      setText(note, run.note);
      setAttribute(note, "title", run.note);
    },
  };
}

/** @param {Item} first @param {Actions} actions */
export function createRunRow(first, actions) {
  let { run } = first;
  const tick = h("input", {
    type: "checkbox",
    "aria-label": `Select run ${run.id}`,
    onchange: () => actions.onselect(run, tick.checked),
  });
  const place = h("small", { class: "muted" });
  const title = createTitle(() => run, actions);
  const state = h("span", { class: "chip" });
  const started = h("td", { class: "nowrap" });
  const trials = h("td", { class: "number" });
  const where = h("a", {});
  const pin = h("button", { type: "button", class: "small quiet archive-pin", onclick: () => actions.onpin(run) });
  const more = createMenu("⋯", `More about run ${run.id}`, () => [
    { text: "Edit name, tags and note", act: title.open },
    ...exportItems(run.id),
    ...(run.experiment_hash === undefined || run.machine === null
      ? []
      : [{ text: "Trend of this experiment", href: trendAddress(run) }]),
    { text: "Delete", danger: true, act: () => actions.ondelete(run) },
  ]);
  const element = h(
    "tr",
    {},
    h("td", { class: "archive-tick" }, h("label", {}, tick, place)),
    h("td", { class: "number muted" }, String(run.id)),
    title.element,
    h("td", {}, state),
    started,
    trials,
    h("td", { class: "nowrap" }, where),
    h("td", { class: "archive-actions nowrap no-print" }, pin, more),
  );
  /** @type {Item|null} */
  let shown = null;
  let shown_at = "";
  return {
    element,
    /** @param {Item} now */
    update(now) {
      ({ run } = now);
      if (tick.checked !== now.selected > 0) tick.checked = now.selected > 0;
      tick.disabled = now.full && now.selected === 0;
      setText(place, now.selected === 1 ? "base" : "");
      element.classList.toggle("selected", now.selected > 0);
      if (shown && shown.run === run && shown.machine === now.machine && shown_at === location.search) return;
      shown = now;
      shown_at = location.search;
      title.update(run);
      setText(state, stateText(run.state));
      setAttribute(state, "class", `chip ${stateTone(run.state)}`);
      setText(started, timeText(run));
      setText(trials, trialsText(run));
      setText(where, now.machine || "–");
      setAttribute(where, "href", run.machine ? archiveAddress({ machine: run.machine.comparable }) : null);
      setAttribute(where, "title", run.machine ? "Only runs on machines that compare with this one" : null);
      setText(pin, run.pinned ? "★" : "☆");
      setAttribute(pin, "aria-pressed", String(run.pinned));
      setAttribute(pin, "aria-label", `Pin run ${run.id}`);
      setAttribute(
        pin,
        "title",
        run.pinned
          ? "Pinned: retention leaves it whole. Click to let it go."
          : "Pin: keep it whole, whatever the retention",
      );
    },
  };
}
