/**
 * One attempt at a time, as it is started, followed while it goes on, and read from the archive. What a lab's page shows
 * is here; the page is told when it has changed.
 */

import * as api from "./api.js";
import { followTopic } from "./events.js";
import { createRecorder } from "./timeline.js";

/** @typedef {import("./types.js").Attempt} Attempt */

/** @param {Attempt|null} attempt */
export const isOver = (attempt) => attempt !== null && attempt.state !== "queued" && attempt.state !== "running";

/**
 * @param {AbortSignal} signal  ends it
 * @param {{onchange: () => void, onover: () => void, onproblem: (error: unknown) => void}} to  onover: one has ended
 */
export function createAttemptSession(signal, { onchange, onover, onproblem }) {
  /** @type {Attempt|null} */
  let attempt = null;
  let recorder = createRecorder();
  let following = new AbortController();
  /** When a line came last, here and there. */
  let told = { ms: 0, ns: 0 };

  signal.addEventListener("abort", () => following.abort());

  /** @param {Attempt|null} next */
  function turnTo(next) {
    following.abort();
    following = new AbortController();
    recorder = createRecorder();
    told = { ms: 0, ns: 0 };
    attempt = next;
  }

  /** @param {any} line */
  function takeLine(line) {
    recorder.take(line);
    if (told.ms === 0 || recorder.timeline.end_ns > nowNs())
      told = { ms: performance.now(), ns: recorder.timeline.end_ns };
  }

  /** @param {Attempt} read  with its record */
  function takeWhole(read) {
    if (!isOver(read)) {
      // An answer that was long on its way knows less than the events that came before it.
      if (attempt?.state !== "running") attempt = read;
      recorder.takeAttempt(read);
      onchange();
      return;
    }
    turnTo(read);
    recorder.takeAttempt(read);
    onchange();
    onover();
  }

  /** @param {Attempt} started */
  function follow(started) {
    turnTo(started);
    const mine = following.signal;
    const read = () =>
      void api.getAttempt(started.id, mine).then(
        (now) => !mine.aborted && takeWhole(now),
        (error) => !mine.aborted && onproblem(error),
      );
    followTopic(
      `attempt:${started.id}`,
      {
        line: takeLine,
        attempt: (/** @type {Attempt} */ now) => {
          if (now.id !== started.id) return undefined;
          if (isOver(now)) return read();
          attempt = now;
          return onchange();
        },
      },
      read,
      mine,
    );
    onchange();
  }

  const nowNs = () =>
    isOver(attempt) || told.ms === 0
      ? recorder.timeline.end_ns
      : Math.max(recorder.timeline.end_ns, told.ns + 1e6 * (performance.now() - told.ms));

  return {
    attempt: () => attempt,
    timeline: () => recorder.timeline,
    /** How far the attempt has come; while it goes on, farther than its last line. */
    nowNs,
    /**
     * @param {string} lab
     * @param {Parameters<typeof api.postAttempt>[1]} asked
     * @returns {Promise<Attempt|null>}  null: the page was left in between
     */
    async start(lab, asked) {
      const started = await api.postAttempt(lab, asked);
      if (signal.aborted) return null;
      follow(started);
      return started;
    },
    /** @param {number} id */
    async show(id) {
      turnTo(null);
      const mine = following.signal;
      const read = await api.getAttempt(id, mine);
      if (mine.aborted || signal.aborted) return;
      if (isOver(read)) takeWhole(read);
      else follow(read);
    },
    leave() {
      turnTo(null);
      onchange();
    },
  };
}
