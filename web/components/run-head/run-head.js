/** A run's name, note and tags, edited in place, and what can be done with the run. */

import { h, setAttribute, setChildren, setText } from "../../js/dom.js";
import { Problem } from "../../js/api.js";
import { problemText } from "../../js/actions.js";
import { fieldOfPointer, splitList } from "../../js/experiment.js";
import { formatPlural, formatSpan, formatTime } from "../../js/format.js";
import { isOver, stateText, stateTone } from "../../js/words.js";
import { createField, textInput } from "../experiment/field.js";

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

/**
 * The form that takes the place of the name while it is edited.
 * @param {Run} seen
 * @param {(changes: Pick<Run, "name"|"note"|"tags">) => Promise<boolean>} save  false: changed by somebody else
 * @param {() => void} done
 */
function createEditor(seen, save, done) {
  const name = textInput("name", seen.name, { maxlength: "120" });
  const tags = textInput("tags", seen.tags.join(", "));
  const note = h("textarea", { name: "note", rows: 3 }, seen.note);
  const fields = new Map([
    ["/name", createField("/name", "Name", name)],
    ["/tags", createField("/tags", "Tags", tags, "separated by commas")],
    ["/note", createField("/note", "Note", note)],
  ]);
  const message = h("p", { class: "error", role: "alert" });
  const submit = h("button", { type: "submit", class: "primary" }, "Save");
  const form = h(
    "form",
    { class: "card run-editor", novalidate: true, "aria-label": "Name, tags and note" },
    [...fields.values()].map((field) => field.element),
    message,
    h("div", { class: "row" }, submit, h("button", { type: "button", onclick: done }, "Cancel")),
  );
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") done();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    for (const field of fields.values()) field.setError("");
    setText(message, "");
    try {
      if (await save({ name: name.value.trim(), tags: splitList(tags.value), note: note.value })) return done();
      setText(
        message,
        "Somebody else changed this run in the meantime. Your text is still here; Save again puts it in place of theirs.",
      );
    } catch (error) {
      const errors = error instanceof Problem ? error.errors : [];
      for (const { pointer, detail } of errors)
        fields.get(fieldOfPointer(pointer, fields.keys()) ?? "")?.setError(detail);
      if (errors.length === 0) setText(message, problemText(error));
      fields.get(fieldOfPointer(errors[0]?.pointer ?? "", fields.keys()) ?? "")?.focus();
    } finally {
      submit.disabled = false;
    }
  });
  return { element: form, focus: () => name.select() };
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
  const json = h("a", { class: "button small", title: "All figures as JSON" }, "JSON");
  const element = h(
    "div",
    { class: "view-head run-head" },
    place,
    h(
      "div",
      { class: "row no-print" },
      h("button", { type: "button", class: "small", onclick: withRun(onrepeat) }, "Run again"),
      change,
      json,
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
        now.tags.map((tag) => h("span", { class: "chip" }, tag)),
      );
      note.hidden = !now.note;
      setText(note, now.note);
      setText(pin, now.pinned ? "Unpin" : "Pin");
      setAttribute(pin, "title", now.pinned ? "Let retention thin this run out again" : "Keep this run from retention");
      setAttribute(change, "href", `/?own=${now.id}`);
      setAttribute(json, "href", `/api/v1/runs/${now.id}/results`);
      setAttribute(json, "download", `ipclab-run-${now.id}.json`);
    },
  };
}
