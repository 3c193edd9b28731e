/** How far the run followed has come, and the button that stops it. */

import { h, setAttribute, setText } from "../../js/dom.js";
import { formatBytes, formatEstimate, formatPercent, formatPlural, formatSpan } from "../../js/format.js";
import { isOver, patternText, stateText } from "../../js/words.js";

/** A screen reader hears of progress this often; the end is always told. */
const announce_ms = 15000;

/**
 * @typedef {import("../../js/types.js").Run} Run
 * @typedef {{run: Run, waiting: number, legend: import("../../js/mechanisms.js").Legend}} Props
 */

/** @param {Run} run @param {import("../../js/mechanisms.js").Legend} legend */
function detailOf(run, legend) {
  const parts = [];
  if (run.state === "running") {
    parts.push(`trial ${Math.min(run.trials_done + 1, run.trials_total)} of ${run.trials_total}`);
    if (run.current) {
      parts.push(
        legend.titleOf(run.current.mechanism),
        `${formatBytes(run.current.message_bytes)} ${patternText(run.current.pattern)}`,
      );
    }
    if (run.eta_ms !== null) parts.push(`about ${formatEstimate(run.eta_ms)} left`);
  } else {
    parts.push(run.state === "queued" ? "waiting for its turn" : stateText(run.state));
    parts.push(
      run.state === "done"
        ? formatPlural(run.trials_done, "trial")
        : `${run.trials_done} of ${formatPlural(run.trials_total, "trial")}`,
    );
    if (run.started_ms !== null && run.finished_ms !== null)
      parts.push(`took ${formatSpan(run.finished_ms - run.started_ms)}`);
    if (run.message) parts.push(run.message);
  }
  if (run.trials_failed > 0) parts.push(`${run.trials_failed} failed`);
  return parts;
}

/** @param {{link: boolean, onstop: (run: Run) => void}} options  link: the name leads to the run */
export function createProgress({ link, onstop }) {
  /** @type {Run|null} */
  let shown = null;
  let told_ms = 0;
  let told = "";
  const name = h(link ? "a" : "span", { class: "progress-name" });
  const detail = h("span", { class: "progress-detail" });
  const waiting = h("span", { class: "chip" });
  const percent = h("span", { class: "progress-percent" });
  const fill = h("div", { class: "progress-fill" });
  const bar = h(
    "div",
    { class: "progress-bar", role: "progressbar", "aria-valuemin": 0, "aria-label": "Trials taken" },
    fill,
  );
  const stop = h("button", { type: "button", onclick: () => shown && onstop(shown) }, "Stop");
  const status = h("p", { class: "visually-hidden", role: "status" });
  const element = h(
    "section",
    { class: "card progress", "aria-label": "Progress" },
    h("div", { class: "progress-body" }, h("div", { class: "progress-text" }, name, detail, waiting, percent), bar),
    stop,
    status,
  );

  /** @param {string} text @param {boolean} always */
  function announce(text, always) {
    const now = performance.now();
    if (text === told || (!always && now - told_ms < announce_ms)) return;
    told = text;
    told_ms = now;
    setText(status, text);
  }

  return {
    element,
    /** @param {Props} props */
    update({ run, waiting: queued, legend }) {
      const changed = shown?.state !== run.state;
      shown = run;
      const parts = detailOf(run, legend);
      setText(name, run.name || `Run ${run.id}`);
      if (link) setAttribute(name, "href", `/runs/${run.id}`);
      setText(detail, parts.join(" · "));
      setText(waiting, `${queued} more waiting`);
      waiting.hidden = queued === 0;
      setText(percent, formatPercent(run.trials_done, run.trials_total));
      fill.style.width = `${run.trials_total > 0 ? (100 * run.trials_done) / run.trials_total : 0}%`;
      setAttribute(bar, "aria-valuemax", run.trials_total);
      setAttribute(bar, "aria-valuenow", run.trials_done);
      setAttribute(element, "data-state", run.state);
      stop.hidden = isOver(run.state);
      setAttribute(stop, "aria-label", `Stop ${run.name || `run ${run.id}`}`);
      announce(`${run.name || `Run ${run.id}`}: ${parts[0]}`, changed && isOver(run.state));
    },
  };
}
