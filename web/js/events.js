/**
 * The stream of server-sent events, turned into actions. One stream serves all views, also what a view follows while it
 * lives, because a browser allows only six connections to a host. For the same reason it is closed while the tab is
 * hidden. What was missed is fetched when it opens again: "resync" is dispatched on every opening, and when the server
 * reports a gap. So a reopened stream needs no event id.
 */

import { explainStream } from "./api.js";

const topics_of_all = ["runs", "run:*"];
const retry_ms_first = 1000;
const retry_ms_max = 15000;
const first_contact_ms = 1000;

/** @typedef {{topic: string, handlers: Record<string, (data: any) => void>, onopen: () => void}} Follower */

/** @type {Set<Follower>} */
const followers = new Set();
/** @type {() => void} */
let reopen = () => {};

const addressNow = () =>
  `/api/v1/events?topics=${[...topics_of_all, ...[...followers].map(({ topic }) => topic)].join(",")}`;

/**
 * Hears of what one view follows, on the page's own stream, which is opened anew for it.
 * @param {string} topic
 * @param {Record<string, (data: any) => void>} handlers  by the name of the event
 * @param {() => void} onopen  something may have been missed; also told when the stream cannot be opened
 * @param {AbortSignal} signal  ends it
 */
export function followTopic(topic, handlers, onopen, signal) {
  if (signal.aborted) return;
  const follower = { topic, handlers, onopen };
  followers.add(follower);
  signal.addEventListener("abort", () => followers.delete(follower));
  reopen();
}

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
      return { type: "run_deleted", id: data.id, rev: data.rev };
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
    const address = addressNow();
    const opened = new EventSource(address);
    const missed = () => followers.forEach(({ onopen }) => onopen());
    source = opened;
    opened.addEventListener("open", () => {
      retry_ms = retry_ms_first;
      missed();
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
      missed();
      retryLater();
    });
    for (const kind of ["run", "trial", "case", "sample", "run_deleted", "gap"]) {
      opened.addEventListener(kind, (event) => {
        const action = actionOf(kind, JSON.parse(/** @type {MessageEvent<string>} */ (event).data));
        if (action) store.dispatch(action);
      });
    }
    opened.addEventListener("gap", missed);
    for (const follower of followers)
      for (const [name, handle] of Object.entries(follower.handlers))
        opened.addEventListener(name, (event) => {
          if (followers.has(follower)) handle(JSON.parse(/** @type {MessageEvent<string>} */ (event).data));
        });
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
  // The first view says what it follows before the stream is opened for the first time.
  setTimeout(() => {
    reopen = open;
    open();
  });
  return { retryNow: open };
}
