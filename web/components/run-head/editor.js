/** A run's name, tags and note in a form, where they stood. */

import { problemText } from "../../js/actions.js";
import { Problem } from "../../js/api.js";
import { h, setText } from "../../js/dom.js";
import { fieldOfPointer, splitList } from "../../js/experiment.js";
import { createField, textInput } from "../experiment/field.js";

/** @typedef {import("../../js/types.js").Run} Run */

/**
 * The form that takes the place of the name while it is edited.
 * @param {Run} seen
 * @param {(changes: Pick<Run, "name"|"note"|"tags">) => Promise<boolean>} save  false: changed by somebody else
 * @param {() => void} done
 */
export function createEditor(seen, save, done) {
  const name = textInput("name", seen.name, { maxlength: "120" });
  const tags = textInput("tags", seen.tags.join(", "));
  const note = h("textarea", { name: "note", rows: 3 }, seen.note);
  const fields = new Map([
    ["/name", createField(`/${seen.id}/name`, "Name", name)],
    ["/tags", createField(`/${seen.id}/tags`, "Tags", tags, "separated by commas")],
    ["/note", createField(`/${seen.id}/note`, "Note", note)],
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
