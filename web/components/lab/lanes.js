/** One lane a process: its calls as bars, what blocked as an open frame, its end as a mark. The table of calls is the twin. */

import { h, setAttribute, setChildren, setText, svg, syncChildren } from "../../js/dom.js";
import { barsOf } from "../../js/axis.js";
import { formatNs } from "../../js/format.js";
import { say, sayCount } from "../../js/messages.js";
import { durationOf, kindOf, stateAt } from "../../js/timeline.js";
import { hideTip, showTip } from "../tip/tip.js";

/**
 * @typedef {import("../../js/types.js").Call} Call
 * @typedef {import("../../js/types.js").LabWorker} LabWorker
 *
 * @typedef {object} Props
 * @property {import("../../js/timeline.js").Timeline} timeline
 * @property {import("../../js/axis.js").Axis} axis
 * @property {number} width_px  of the tracks
 * @property {number} now_ns  up to here calls that have not returned are drawn
 * @property {number} cursor_ns
 * @property {import("../../js/mechanisms.js").Look} look
 * @property {number} enlarged  how many times its usual size text has
 */

const lane_px = 44;
const bar_px = 24;
const letter_px = 6.7;
/** With more processes than this, those that make no call worth showing have no lane. */
const lanes_many = 8;
/** Above the bars there is room for how a process died. */
const top_px = 14;

/** @param {Call} call @param {number} now_ns */
function takenText(call, now_ns) {
  const took = formatNs(durationOf(call, now_ns));
  const kind = kindOf(call, now_ns);
  if (call.end_ns === null) return say(call.cut_ns === null ? "observe.open_call" : "observe.cut_call", { took });
  return kind === "blocked" || kind === "slept" ? say(`observe.${kind}_for`, { took }) : took;
}

/** @param {Call} call */
export const returnText = ({ end_ns, returned, errno }) =>
  end_ns === null ? say("observe.not_returned") : errno ? `${returned ?? -1} ${errno}` : String(returned ?? "");

/** @param {Call} call @param {number} now_ns */
export const callText = (call, now_ns) =>
  `${call.call}(${call.arguments}) = ${returnText(call)} · ${takenText(call, now_ns)}`;

/** @param {import("../../js/axis.js").Bar} bar @param {number} now_ns @param {number} enlarged */
function labelOf({ width, kind, calls }, now_ns, enlarged) {
  const [call] = calls;
  const took = formatNs(durationOf(call, now_ns));
  const candidates =
    kind === "failed"
      ? [`${call.call}: ${call.errno ?? "†"}`, call.errno ?? "†"]
      : kind === "quick"
        ? [`${call.call}`]
        : [`${call.call} – ${say(`observe.${kind}`)} ${took}`, `${say(`observe.${kind}`)} ${took}`, took];
  return calls.length > 1 ? "" : (candidates.find((text) => text.length * letter_px * enlarged + 8 < width) ?? "");
}

/** @param {import("../../js/axis.js").Bar} bar @param {number} index @param {Props} props */
function drawBar(bar, index, { now_ns, width_px, enlarged }) {
  const label = labelOf(bar, now_ns, enlarged);
  const seen = { left: Math.max(0, bar.x), right: Math.min(width_px, bar.x + bar.width) };
  const gap = bar.kind === "quick" && bar.width > 4 ? 1 : 0;
  return svg(
    "g",
    { class: `bar-call ${bar.kind}`, "data-bar": index },
    svg("rect", { x: bar.x.toFixed(2), y: top_px, width: (bar.width - gap).toFixed(2), height: bar_px, rx: 2 }),
    label && svg("text", { x: (seen.left + seen.right) / 2, y: top_px + bar_px / 2 + 4, "text-anchor": "middle" }, label),
  );
}

/** @param {LabWorker} worker @param {Props} props */
function drawEnd({ states }, { axis, width_px, enlarged }) {
  const ended = states.find(({ state }) => state === "ended");
  const x = ended ? axis.place(ended.at_ns) * width_px : -1;
  if (!ended || x < 0 || x > width_px + 1) return null;
  const cause = ended.cause ?? "";
  const bad = cause !== "" && cause !== "exit 0";
  const left = x > width_px - cause.length * letter_px * enlarged - 24;
  return svg(
    "g",
    { class: bad ? "lane-end bad" : "lane-end" },
    svg("line", { x1: x, x2: x, y1: 2, y2: lane_px - 2 }),
    bad && svg("text", { x: left ? x - 5 : x + 5, y: 10, "text-anchor": left ? "end" : "start" }, `✕ ${cause}`),
  );
}

/** @param {LabWorker} worker @param {readonly Call[]} calls @param {Props} props */
function summaryOf(worker, calls, { now_ns }) {
  const waited_ns = calls
    .filter((call) => kindOf(call, now_ns) === "blocked")
    .reduce((sum, call) => sum + durationOf(call, now_ns), 0);
  const ended = worker.states.find(({ state }) => state === "ended");
  return [
    `${worker.worker}: ${sayCount("observe.calls", calls.length)}`,
    waited_ns > 0 && say("observe.blocked_for", { took: formatNs(waited_ns) }),
    ended && say("observe.ended", { cause: ended.cause ?? "" }),
  ]
    .filter(Boolean)
    .join(", ");
}

/** @param {LabWorker} worker @param {readonly Call[]} calls @param {number} ns */
function stateNow(worker, calls, ns) {
  const told = stateAt(worker, ns);
  if (told?.state === "ended") return { state: "ended", text: told.cause ?? say("state.ended") };
  const open = calls.find((call) => call.begin_ns <= ns && (call.end_ns ?? call.cut_ns ?? Infinity) > ns);
  const kind = open ? kindOf(open, Math.max(ns, open.end_ns ?? ns)) : null;
  if (open && (kind === "blocked" || kind === "slept"))
    return { state: kind === "slept" ? "sleeping" : "blocked", text: `${say(`observe.${kind}`)}: ${open.call}` };
  const state = told?.state ?? "running";
  return { state, text: say(`state.${state}`) };
}

/** @param {(call: Call) => void} onpick */
function createLane(onpick) {
  const name = h("span", { class: "lane-worker" });
  const pid = h("span", { class: "lane-pid" });
  const state = h("span", { class: "lane-state" });
  const drawing = svg("svg", { class: "lane-drawing", height: lane_px, role: "img" });
  /** @type {import("../../js/axis.js").Bar[]} */
  let bars = [];
  let now = 0;
  /** @param {Event} event */
  const barOf = ({ target }) => {
    const group = target instanceof Element ? target.closest("[data-bar]") : null;
    return group ? { group, bar: bars[Number(group.getAttribute("data-bar"))] } : null;
  };
  drawing.addEventListener("pointerover", (event) => {
    const found = barOf(event);
    if (!found?.bar) return hideTip();
    const shown = found.bar.calls.slice(0, 6).map((call) => h("div", { class: "mono" }, callText(call, now)));
    const more = found.bar.calls.length - shown.length;
    return showTip(found.group, [...shown, more > 0 && h("p", {}, sayCount("observe.more_calls", more))]);
  });
  drawing.addEventListener("pointerleave", hideTip);
  drawing.addEventListener("click", (event) => {
    const found = barOf(event);
    if (found?.bar) onpick(found.bar.calls[0]);
  });
  const element = h(
    "div",
    { class: "lane" },
    h("div", { class: "lane-head" }, h("div", {}, name), h("div", { class: "lane-now" }, state, pid)),
    h("div", { class: "lane-track" }, drawing),
  );
  return {
    element,
    /** @param {{worker: LabWorker, calls: readonly Call[], shade: number, props: Props}} lane */
    update({ worker, calls, shade, props }) {
      now = props.now_ns;
      setText(name, worker.worker);
      setText(pid, worker.pid === null ? "" : say("observe.pid", { pid: worker.pid }));
      const { state: kind, text } = stateNow(worker, calls, props.cursor_ns);
      setText(state, text);
      setAttribute(state, "data-state", kind);
      setAttribute(element, "data-hue", props.look.hue);
      setAttribute(element, "data-shade", shade);
      bars = barsOf(calls, props.axis, props.width_px, now);
      setAttribute(drawing, "width", props.width_px);
      setAttribute(drawing, "aria-label", summaryOf(worker, calls, props));
      setChildren(
        drawing,
        bars.map((bar, i) => drawBar(bar, i, props)),
        drawEnd(worker, props),
      );
    },
  };
}

/** @param {(call: Call) => void} onpick  a call was pointed at */
export function createLanes(onpick) {
  const element = h("div", { class: "lanes" });
  return {
    element,
    /** @param {Props} props */
    update(props) {
      const { workers, calls } = props.timeline;
      /** @type {Map<string, Call[]>} */
      const by_worker = new Map(workers.map(({ worker }) => [worker, []]));
      for (const call of calls) by_worker.get(call.worker)?.push(call);
      const seen = workers.length > lanes_many ? workers.filter(({ worker }) => by_worker.get(worker)?.length) : workers;
      const lanes = seen.map((worker, i) => ({
        worker,
        calls: by_worker.get(worker.worker) ?? [],
        shade: (i % 3) + 1,
        props,
      }));
      syncChildren(
        element,
        lanes,
        ({ worker }) => worker.worker,
        () => createLane(onpick),
      );
    },
  };
}
