/** The labs in their order: the question each asks, whether it was tried, and what surprised in it. */

import { loadCatalogue, problemText } from "../js/actions.js";
import { getAttempts, getLabs } from "../js/api.js";
import { h, renewChildren, setText } from "../js/dom.js";
import { followTopic } from "../js/events.js";
import { permalinkOf, quotedAnswer } from "../js/lab-parameters.js";
import { legendOf } from "../js/mechanisms.js";
import { loadMessages, say, sayCount } from "../js/messages.js";
import { setTitle } from "../js/router.js";
import { readStudent } from "../js/student.js";
import { createName } from "../components/marker/marker.js";

/**
 * @typedef {import("../js/types.js").Lab} Lab
 * @typedef {import("../js/types.js").Attempt} Attempt
 */

const looked_at = 20;

/** The latest attempt whose outcome was not what was predicted. @param {Lab} lab @param {readonly Attempt[]} attempts */
function createSurprise(lab, attempts) {
  const surprise = attempts.find(({ agrees }) => agrees === false);
  if (attempts.length === 0) return [h("span", { class: "chip" }, say("labs.untried"))];
  const tried = h("span", { class: "chip good" }, h("span", { "aria-hidden": "true" }, "✓ "), sayCount("labs.tried", attempts.length));
  if (!surprise?.prediction) return [tried];
  const words = say("labs.surprise", {
    said: quotedAnswer(lab.prediction, surprise.prediction.answer),
    came: quotedAnswer(lab.prediction, surprise.outcome),
  });
  return [tried, h("a", { href: permalinkOf(lab, surprise.parameters, { attempt: String(surprise.id) }) }, words)];
}

/** @param {Lab} lab @param {readonly Attempt[]|undefined} attempts @param {import("../js/mechanisms.js").Legend} legend */
function createItem(lab, attempts, legend) {
  return h(
    "li",
    { class: "card lab-item" },
    h("span", { class: "lab-place", "aria-hidden": "true" }, String(lab.number)),
    h(
      "div",
      { class: "grow" },
      h("h2", {}, h("a", { href: `/labs/${lab.name}` }, lab.title)),
      h("p", { class: "lab-question" }, lab.question),
      h("p", { class: "lab-mechanisms" }, lab.mechanisms.map((name) => createName(legend.lookOf(name), legend.titleOf(name)))),
    ),
    h("div", { class: "lab-tried" }, attempts && createSurprise(lab, attempts)),
  );
}

/**
 * @param {import("../js/router.js").ViewContext} context
 * @returns {import("../js/router.js").View}
 */
export function mountLabs({ root, signal, store }) {
  const title = h("h1", { tabindex: "-1" });
  const lead = h("p", { class: "lead" });
  const status = h("p", { role: "status" });
  const list = h("ol", { class: "lab-list" });
  root.append(h("div", {}, title, lead), status, list);
  /** @type {Lab[]} */
  let labs = [];
  /** @type {Map<string, Attempt[]>} */
  const attempts = new Map();
  /** Those that retention dropped: an answer that was long on its way may still have them. @type {Set<number>} */
  const gone = new Set();

  function render() {
    const legend = legendOf(store.getState().mechanisms);
    renewChildren(list, labs.map((lab) => createItem(lab, attempts.get(lab.name), legend)));
  }

  async function load() {
    try {
      await Promise.all([loadMessages(), loadCatalogue(store)]);
      if (signal.aborted) return;
      setText(title, say("labs.title"));
      setText(lead, say("labs.lead"));
      setTitle(say("labs.title"));
      labs = [...(await getLabs(signal))].sort((a, b) => a.number - b.number);
      setText(status, "");
      render();
      const { student, group } = readStudent();
      await Promise.all(
        labs.map(async ({ name }) => {
          const read = await getAttempts(name, { limit: looked_at, student, group }, signal);
          // Of everybody, if nobody is named here: those of the nameless are one's own.
          const own = read.attempts.filter((one) => (one.student ?? "") === student);
          attempts.set(name, own.filter(({ id }) => !gone.has(id)));
        }),
      );
      render();
    } catch (error) {
      if (!signal.aborted) setText(status, problemText(error));
    }
  }

  /** @param {number} id */
  function forget(id) {
    gone.add(id);
    for (const [name, known] of attempts) {
      if (!known.some((one) => one.id === id)) continue;
      attempts.set(name, known.filter((one) => one.id !== id));
      render();
    }
  }

  followTopic("attempts", { attempt_deleted: (/** @type {{id: number}} */ { id }) => forget(id) }, () => {}, signal);
  store.watch(
    (state) => [state.resync],
    (resync) => void (resync > 0 && load()),
    signal,
  );
  return { title: "Labs" };
}
