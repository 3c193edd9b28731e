/** What stands above a lab: its question, how the run stands, and where an attempt can be taken to. */

import { isOver } from "../../js/attempt-session.js";
import { h, setAttribute, setChildren, setText } from "../../js/dom.js";
import { formatTime } from "../../js/format.js";
import { permalinkOf } from "../../js/lab-parameters.js";
import { say, waitingText } from "../../js/messages.js";

/**
 * @typedef {import("../../js/types.js").Lab} Lab
 * @typedef {import("../../js/types.js").Attempt} Attempt
 */

/** @param {Lab} lab @param {number} count  of all labs */
export const createTitle = (lab, count) =>
  h(
    "div",
    { class: "lab-head" },
    h(
      "p",
      { class: "crumb" },
      h("a", { href: "/labs" }, say("labs.title")),
      ` / ${say("lab.place", { number: lab.number, count })} · ${lab.title}`,
    ),
    h("h1", { tabindex: "-1" }, lab.question),
    h("p", { class: "lead" }, lab.teaches),
  );

/** @param {() => void} onturn */
export function createProjector(onturn) {
  const element = h("button", { type: "button", class: "small no-print", onclick: onturn });
  return {
    element,
    /** @param {boolean} projected */
    update(projected) {
      setText(element, say(projected ? "lab.projector_off" : "lab.projector"));
      setAttribute(element, "aria-pressed", String(projected));
    },
  };
}

/** A link, a file, a sheet of paper. @param {Lab} lab */
export function createHandIn(lab) {
  const copied = h("span", { role: "status", class: "muted" });
  const element = h("div", { class: "row hand-in no-print" });
  let drawn = "";
  /** @param {string} link */
  async function copy(link) {
    const address = new URL(link, location.href).href;
    try {
      await navigator.clipboard.writeText(address);
      setText(copied, say("lab.copied"));
    } catch {
      setText(copied, address);
    }
  }
  /** @param {Attempt} attempt @param {string} path @param {string} name */
  const file = ({ id }, path, name) =>
    h(
      "a",
      { class: "button small", href: `/api/v1/attempts/${id}${path}`, download: `lab-${lab.number}-attempt-${id}${name}` },
      say(path ? "lab.trace" : "lab.hand_in"),
    );
  return {
    element,
    /** @param {Attempt|null} attempt @param {import("../../js/types.js").Parameters} parameters */
    update(attempt, parameters) {
      const link = permalinkOf(lab, parameters);
      const ended = attempt && isOver(attempt) ? attempt : null;
      const now = `${link} ${ended?.id ?? ""}`;
      if (now === drawn) return;
      drawn = now;
      setText(copied, "");
      setChildren(
        element,
        h("button", { type: "button", class: "small", onclick: () => void copy(link) }, say("lab.copy_link")),
        ended && [
          file(ended, "", ".json"),
          h("button", { type: "button", class: "small", onclick: () => window.print() }, say("lab.print")),
          !ended.record_dropped_ms && file(ended, "/trace", ".trace.json"),
        ],
        copied,
      );
    },
  };
}

/** What a sheet of paper has to say of itself. */
export function createSheet() {
  const element = h("p", { class: "print-only" });
  return {
    element,
    /** @param {Attempt|null} attempt */
    update(attempt) {
      const parts = attempt && [
        say("lab.sheet", { id: attempt.id, uid: attempt.uid }),
        attempt.student,
        attempt.group,
        formatTime(attempt.created_ms),
        attempt.kernel,
        attempt.machine && `${say("claims.machine")} ${attempt.machine.comparable}`,
      ];
      setText(element, (parts ?? []).filter(Boolean).join(" · "));
    },
  };
}

/** @type {Record<string, string>} */
const tones = { running: "active", queued: "warn", done: "good", failed: "bad", cancelled: "warn" };

/** How the run stands, in one line for everybody and aloud. */
export function createStatus() {
  const chip = h("span", { class: "chip" });
  const text = h("span", {});
  return {
    element: h("p", { class: "lab-status", role: "status" }, chip, text),
    /** @param {Attempt|null} attempt */
    update(attempt) {
      const state = attempt?.state ?? "none";
      chip.hidden = !attempt;
      setText(chip, attempt ? say(`attempt_state.${state}`) : "");
      setAttribute(chip, "class", `chip ${tones[state] ?? ""}`);
      const waiting = state === "queued" ? waitingText(attempt?.waiting_for) : "";
      setText(text, waiting || say(`lab.status.${state}`, { id: attempt?.id ?? "" }));
    },
  };
}
