/** The program a lab runs, beside it, read when it is first asked for. */

import { problemText } from "../../js/actions.js";
import { h, setChildren } from "../../js/dom.js";
import { say } from "../../js/messages.js";

/** C with its comments, strings and calls told apart, as text nodes. @param {string} source */
export function createSource(source) {
  const tokens = /(\/\*[\s\S]*?\*\/|\/\/[^\n]*)|("(?:[^"\\\n]|\\.)*")|\b([a-z_]\w*)(?=\()/g;
  /** @type {import("../../js/dom.js").Child[]} */
  const parts = [];
  let last = 0;
  for (const match of source.matchAll(tokens)) {
    parts.push(source.slice(last, match.index));
    const [text, comment, string] = match;
    parts.push(h("span", { class: comment ? "c-comment" : string ? "c-string" : "c-call" }, text));
    last = (match.index ?? 0) + text.length;
  }
  parts.push(source.slice(last));
  return h("pre", { class: "code source", tabindex: "0", role: "region", "aria-label": say("program.title") }, h("code", {}, parts));
}

/** @param {() => Promise<string>} read */
export function createProgram(read) {
  const body = h("div", {}, h("p", { class: "muted" }, say("reading")));
  let asked = false;
  const element = h(
    "details",
    {
      class: "card program",
      ontoggle: () => {
        if (asked || !element.open) return;
        asked = true;
        read().then(
          (source) => setChildren(body, createSource(source)),
          (error) => {
            asked = false;
            setChildren(body, h("p", { role: "alert" }, problemText(error)));
          },
        );
      },
    },
    h("summary", {}, h("h2", {}, say("program.show"))),
    body,
  );
  return { element, open: () => element.setAttribute("open", "") };
}

