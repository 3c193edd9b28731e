/** What the reader has to know about the page itself: the connection, the archive, and the outcome of what they did. */

import { h, setChildren } from "../../js/dom.js";

/** @type {Record<string, string>} */
const archive_texts = {
  read_only: "The archive is read-only: runs can be looked at, but not started or changed.",
  full: "The disk that holds the archive is full: results are held back until there is space. Reading works.",
};

/**
 * @param {import("../../js/store.js").Store} store
 * @param {AbortSignal} signal
 * @param {() => void} retry
 */
export function createBanners(store, signal, retry) {
  const connection = h("div", { class: "banner bad", role: "alert", hidden: true });
  const archive = h("div", { class: "banner warn", role: "status", hidden: true });
  const notice = h("div", { class: "notice", role: "status", hidden: true });

  let told = "";
  store.watch(
    (state) => [state.connection, state.connection_reason],
    (value, reason) => {
      const lost = value === "lost";
      // While it is tried again and again, what was said stays; it is not said anew each time.
      if (connection.hidden === !lost && (reason === "" || reason === told)) return;
      told = reason;
      connection.hidden = !lost;
      setChildren(
        connection,
        lost && [
          h(
            "span",
            {},
            h("strong", {}, "The connection to the server is lost."),
            ` ${reason || "What you see may be out of date."} Trying again…`,
          ),
          h("button", { type: "button", class: "small", onclick: retry }, "Try now"),
        ],
      );
    },
    signal,
  );

  store.watch(
    (state) => [state.health?.archive, state.health?.archive_reason],
    (value, reason) => {
      const text = archive_texts[value ?? ""];
      archive.hidden = !text;
      setChildren(archive, text, reason && h("small", {}, reason));
    },
    signal,
  );

  store.watch(
    (state) => [state.notice],
    (value) => {
      const held = notice.contains(document.activeElement);
      notice.hidden = !value;
      notice.dataset.tone = value?.tone ?? "";
      const dismiss = () => store.dispatch({ type: "notice", notice: null });
      const answer = () => {
        dismiss();
        value?.action?.act();
      };
      const act =
        value?.action && h("button", { type: "button", class: "small", onclick: answer }, value.action.label);
      setChildren(
        notice,
        value && [
          h("span", {}, value.text),
          act,
          h("button", { type: "button", class: "small quiet", "aria-label": "Dismiss", onclick: dismiss }, "✕"),
        ],
      );
      // What had the focus went with what was done; the way back from it is the next thing within reach.
      if (act && document.activeElement === document.body) act.focus();
      if (held && !value) document.getElementById("main")?.focus({ preventScroll: true });
    },
    signal,
  );

  return { banners: h("div", { class: "banners" }, connection, archive), notice };
}
