/**
 * The stream of server-sent events, turned into actions. One stream serves all views. It is closed while the tab is
 * hidden, because a browser allows only six connections to a host, and what was missed is fetched when it opens again:
 * "resync" is dispatched on every opening, and when the server reports a gap. So a reopened stream needs no event id.
 */

import { explainStream } from "./api.js";

const address = "/api/v1/events?topics=runs,run:*";
const retry_ms_first = 1000;
const retry_ms_max = 15000;
const first_contact_ms = 1000;

/**
 * @param {string} kind
 * @param {any} data
 * @returns {import("./store.js").Action|null}
 */
export function actionOf(kind, data) {
  switch (kind) {
    case "run":
      return { type: "runs", runs: [data] };
    case "trial":
      return { type: "trial", run: data.run, trial: data.trial };
    case "case":
      return { type: "case", run: data.run, case: data.case };
    case "sample":
      return { type: "sample", sample: data };
    case "run_deleted":
      return { type: "run_deleted", id: data.id };
    case "gap":
      return { type: "resync" };
    default:
      return null;
  }
}

/**
 * @param {import("./store.js").Store} store
 * @returns {{retryNow: () => void}}
 */
export function startEvents(store) {
  /** @type {EventSource|null} */
  let source = null;
  let retry_ms = retry_ms_first;
  let timer = 0;

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function retryLater() {
    close();
    timer = window.setTimeout(open, retry_ms);
    retry_ms = Math.min(2 * retry_ms, retry_ms_max);
  }

  function open() {
    close();
    if (document.hidden) return;
    const opened = new EventSource(address);
    source = opened;
    opened.addEventListener("open", () => {
      retry_ms = retry_ms_first;
      store.dispatch({ type: "connection", connection: "live" });
      store.dispatch({ type: "resync" });
    });
    opened.addEventListener("error", () => {
      if (source !== opened) return;
      store.dispatch({ type: "connection", connection: "lost" });
      void explainStream(address).then((reason) => {
        if (reason && store.getState().connection === "lost")
          store.dispatch({ type: "connection", connection: "lost", reason });
      });
      if (store.getState().resync === 0) store.dispatch({ type: "resync" });
      retryLater();
    });
    for (const kind of ["run", "trial", "case", "sample", "run_deleted", "gap"]) {
      opened.addEventListener(kind, (event) => {
        const action = actionOf(kind, JSON.parse(/** @type {MessageEvent<string>} */ (event).data));
        if (action) store.dispatch(action);
      });
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      close();
      store.dispatch({ type: "connection", connection: "paused" });
    } else {
      retry_ms = retry_ms_first;
      open();
    }
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) open();
  });

  // Views load on the first resync, after the stream is open, so that nothing falls between the two. A stream that is
  // slow to open must not keep the page empty.
  setTimeout(() => {
    if (store.getState().resync === 0) store.dispatch({ type: "resync" });
  }, first_contact_ms);
  open();
  return { retryNow: open };
}

/**
 * A stream beside the page's own, for what one view follows while it goes on. The browser opens it again by itself; each
 * opening is told, because what was missed has to be fetched.
 * @param {string} topics
 * @param {Record<string, (data: any) => void>} handlers  by the name of the event
 * @param {() => void} onopen
 * @param {AbortSignal} signal  ends it
 */
export function followTopics(topics, handlers, onopen, signal) {
  if (signal.aborted) return;
  const source = new EventSource(`/api/v1/events?topics=${topics}`);
  let timer = 0;
  function ask() {
    onopen();
    timer = window.setTimeout(ask, retry_ms_first);
  }
  source.addEventListener("open", onopen);
  source.addEventListener("gap", onopen);
  source.addEventListener("error", () => {
    // Refused, not broken: too many streams. Asking now and then does as well.
    if (source.readyState === EventSource.CLOSED) ask();
  });
  for (const [name, handle] of Object.entries(handlers))
    source.addEventListener(name, (event) => handle(JSON.parse(/** @type {MessageEvent<string>} */ (event).data)));
  signal.addEventListener("abort", () => {
    source.close();
    clearTimeout(timer);
  });
}
