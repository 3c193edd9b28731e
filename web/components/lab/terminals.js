/** Two terminals of an interactive lab. A line goes to the process with Enter, the end of input with Ctrl-D. */

import { h, setAttribute, setText, syncChildren } from "../../js/dom.js";
import { say } from "../../js/messages.js";

/**
 * @typedef {{text: string, state: string}} Terminal
 * @typedef {(terminal: string, input: {text: string}|{eof: true}) => void} Send
 */

/** @param {string} name @param {Send} send */
function createTerminal(name, send) {
  const state = h("span", { class: "lane-state" });
  const screen = h("pre", { class: "screen", role: "log", tabindex: "0", "aria-label": say("terminals.screen", { name }) });
  const line = h("input", {
    type: "text",
    class: "mono",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    maxlength: 1000,
    "aria-label": say("terminals.line", { name }),
    placeholder: say("terminals.placeholder"),
    onkeydown: (/** @type {any} */ event) => {
      if (event.key === "d" && event.ctrlKey) {
        event.preventDefault();
        flush();
      }
    },
  });
  /** The key goes to the terminal, which hands over what was typed so far; if that is nothing, it is the end. */
  function flush() {
    if (line.value !== "") send(name, { text: line.value });
    send(name, { eof: true });
    line.value = "";
    line.focus();
  }
  const end = h("button", { type: "button", class: "small", title: say("terminals.end_hint"), onclick: flush }, "Ctrl-D");
  const enter = h("button", { type: "submit", class: "small" }, say("terminals.enter"));
  const form = h(
    "form",
    {
      class: "terminal-line",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        send(name, { text: `${line.value}\n` });
        line.value = "";
      },
    },
    h("span", { class: "prompt", "aria-hidden": "true" }, "›"),
    line,
    enter,
    end,
  );
  return {
    element: h("section", { class: "terminal", "aria-label": name }, h("div", { class: "terminal-head" }, h("h4", {}, name), state), screen, form),
    /** @param {{terminal: Terminal, live: boolean}} item */
    update({ terminal, live }) {
      if (screen.textContent !== terminal.text) {
        setText(screen, terminal.text);
        screen.scrollTop = screen.scrollHeight;
      }
      const known = ["absent", "running", "ended"].includes(terminal.state);
      setText(state, known ? say(`state.${terminal.state}`) : say("terminals.in_call", { call: terminal.state }));
      setAttribute(state, "data-state", terminal.state);
      for (const control of [line, end, enter]) control.disabled = !live;
      form.hidden = !live;
    },
  };
}

/** @param {Send} send */
export function createTerminals(send) {
  const list = h("div", { class: "terminals" });
  const hint = h("p", { class: "muted" }, say("terminals.hint"));
  const element = h("section", { class: "panel-terminals", "aria-label": say("panel.terminals") }, list, hint);
  return {
    element,
    /** @param {Record<string, Terminal>|null} terminals @param {boolean} live  lines can be typed */
    update(terminals, live) {
      element.hidden = !terminals;
      hint.hidden = !live;
      const items = Object.entries(terminals ?? {}).map(([name, terminal]) => ({ name, terminal, live }));
      syncChildren(
        list,
        items,
        ({ name }) => name,
        ({ name }) => createTerminal(name, send),
      );
    },
  };
}
