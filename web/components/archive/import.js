/** Brings bundles into the archive, chosen or dropped anywhere on the page. Each file says what became of it. */

import { problemText } from "../../js/actions.js";
import { Problem, postImport } from "../../js/api.js";
import { h, setChildren } from "../../js/dom.js";
import { formatBytes } from "../../js/format.js";

/** What the server takes; more is not even sent. */
const bundle_bytes_max = 64 * 1024 ** 2;

/** @param {unknown} error */
function faultText(error) {
  const errors = error instanceof Problem ? error.errors : [];
  const places = errors.map(({ pointer, detail }) => `${pointer || "the file"} ${detail}`);
  const said = problemText(error);
  return places.length > 0 && !places.some((place) => said.includes(place)) ? `${said} ${places.join("; ")}` : said;
}

/**
 * @param {object} options
 * @param {(run: import("../../js/types.js").Run) => void} options.onimport
 * @param {AbortSignal} options.signal
 */
export function createImport({ onimport, signal }) {
  const list = h("ul", { class: "archive-imports", role: "status", "aria-label": "Imports" });
  const chooser = h("input", {
    type: "file",
    accept: ".json,application/json",
    multiple: true,
    hidden: true,
    onchange: () => {
      void take([...(chooser.files ?? [])]);
      chooser.value = "";
    },
  });
  const button = h("button", { type: "button", onclick: () => chooser.click() }, "Import…");
  const target = h(
    "div",
    { class: "archive-drop", hidden: true },
    h("strong", {}, "Drop bundles to put their runs into the archive"),
  );

  /** @param {string} tone @param {import("../../js/dom.js").Child[]} text */
  const say = (tone, ...text) => list.append(h("li", { class: `archive-import ${tone}` }, text));

  /** @param {File} file */
  async function takeOne(file) {
    const name = h("strong", {}, file.name);
    if (file.size > bundle_bytes_max)
      return say(
        "bad",
        "✕ ",
        name,
        `: ${formatBytes(file.size)}; a bundle has at most ${formatBytes(bundle_bytes_max)}.`,
      );
    try {
      const { run, known } = await postImport(file);
      onimport(run);
      const link = h("a", { href: `/runs/${run.id}` }, `run ${run.id}`);
      say(
        known ? "" : "good",
        known ? "= " : "✓ ",
        name,
        known ? ": is in the archive already, as " : ": imported as ",
        link,
        ".",
      );
    } catch (error) {
      say("bad", "✕ ", name, `: ${faultText(error)}`);
    }
  }

  /** One after the other: each may be large. @param {File[]} files */
  async function take(files) {
    if (files.length === 0) return;
    setChildren(list);
    button.disabled = true;
    for (const file of files) await takeOne(file);
    button.disabled = false;
  }

  /** @param {DragEvent} event */
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;
  /** @type {[string, (event: any) => void][]} */
  const listeners = [
    [
      "dragover",
      (event) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        target.hidden = false;
      },
    ],
    [
      "dragleave",
      (event) => {
        if (event.relatedTarget === null) target.hidden = true;
      },
    ],
    [
      "drop",
      (event) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        target.hidden = true;
        void take([...event.dataTransfer.files]);
      },
    ],
  ];
  for (const [kind, listener] of listeners) window.addEventListener(kind, listener, { signal });

  return { button: h("span", {}, button, chooser), list, target };
}
