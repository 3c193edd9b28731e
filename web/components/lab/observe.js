/** What is seen of an attempt: lanes and gauge over one axis, a cursor to step, zoom and replay, the calls, the panels. */

import { createAxis, momentsOf, ticksOf, zoomed } from "../../js/axis.js";
import { h, setAttribute, setChildren, setText } from "../../js/dom.js";
import { formatMoment } from "../../js/format.js";
import { say } from "../../js/messages.js";
import { panelsAt, stepAt, stepsOf } from "../../js/timeline.js";
import { hideTip } from "../tip/tip.js";
import { createCalls } from "./calls.js";
import { createGauge } from "./gauge.js";
import { callText, createLanes } from "./lanes.js";
import { createPictures, isPicture } from "./panels.js";
import { createTerminals } from "./terminals.js";

/**
 * @typedef {import("../../js/timeline.js").Timeline} Timeline
 * @typedef {import("../../js/timeline.js").Step} Step
 *
 * @typedef {object} Props
 * @property {Timeline} timeline
 * @property {boolean} live  it goes on
 * @property {number} now_ns  how far it has come
 * @property {readonly import("../../js/types.js").PanelKind[]} panels
 * @property {import("../../js/mechanisms.js").Legend} legend
 * @property {import("../../js/mechanisms.js").Look} look
 */

const whole = { from: 0, to: 1 };
const tick_px = 110;
const replay_ms_min = 2500;
const replay_ms_max = 9000;
const replay_ms_per_step = 220;
const zoom_factor = 1.6;

/** @param {Step} step @param {number} now_ns */
function stepText({ kind, worker, call, state }, now_ns) {
  if (state) return say("step.ended", { worker, cause: state.cause ?? "" });
  const text = call ? callText(call, now_ns) : "";
  const begun = call ? `${call.call}(${call.arguments})` : "";
  return kind === "begin" ? say("step.begin", { worker, call: begun }) : say(`step.${kind}`, { worker, call: text });
}

/** The buttons and the slider that move the cursor. @param {{onstep: (to: number) => void, onreplay: () => void}} to */
function createStepper({ onstep, onreplay }) {
  let at = -1;
  const slider = h("input", {
    type: "range",
    min: 0,
    step: 1,
    "aria-label": say("observe.slider"),
    oninput: () => onstep(Number(slider.value) - 1),
  });
  const back = h("button", { type: "button", class: "small", onclick: () => onstep(at - 1), "aria-label": say("observe.step_back") }, "◀");
  const on = h("button", { type: "button", class: "small", onclick: () => onstep(at + 1), "aria-label": say("observe.step_on") }, "▶");
  const replay = h("button", { type: "button", class: "small", onclick: onreplay }, say("observe.replay"));
  const caption = h("p", { class: "step-text mono", role: "status" });
  const count = h("span", { class: "step-count muted" });
  return {
    element: h("div", { class: "stepper" }, h("div", { class: "row stepper-row" }, replay, back, slider, on, count), caption),
    /** @param {readonly Step[]} steps @param {number} now  index of the step at the cursor @param {boolean} replaying @param {number} now_ns */
    update(steps, now, replaying, now_ns) {
      at = now;
      setAttribute(slider, "max", steps.length);
      slider.value = String(now + 1);
      const text = steps[now] ? `${formatMoment(steps[now].ns)} · ${stepText(steps[now], now_ns)}` : say("observe.at_start");
      setAttribute(slider, "aria-valuetext", text);
      setText(count, `${now + 1} / ${steps.length}`);
      back.disabled = now < 0;
      on.disabled = now >= steps.length - 1;
      setText(replay, say(replaying ? "observe.pause" : "observe.replay"));
      // While it plays, a screen reader would only stutter.
      setAttribute(caption, "aria-live", replaying ? "off" : "polite");
      setText(caption, text);
    },
  };
}

/** @param {{onzoom: (factor: number) => void, onscale: () => void}} to */
function createZoom({ onzoom, onscale }) {
  const scale = h("button", { type: "button", class: "small", onclick: onscale });
  /** @param {string} sign @param {string} key @param {number} factor */
  const button = (sign, key, factor) =>
    h("button", { type: "button", class: "small", "aria-label": say(key), title: say(key), onclick: () => onzoom(factor) }, sign);
  return {
    element: h(
      "div",
      { class: "row zoom", role: "group", "aria-label": say("observe.zoom") },
      scale,
      button("−", "observe.zoom_out", 1 / zoom_factor),
      button("+", "observe.zoom_in", zoom_factor),
      button("↔", "observe.zoom_all", 0),
    ),
    /** @param {boolean} to_scale */
    update(to_scale) {
      setText(scale, say(to_scale ? "observe.to_stretched" : "observe.to_scale"));
      setAttribute(scale, "title", say(to_scale ? "observe.to_stretched_hint" : "observe.to_scale_hint"));
    },
  };
}

function createTicks() {
  const element = h("div", { class: "lane-ticks", "aria-hidden": "true" });
  return {
    element,
    /** @param {import("../../js/axis.js").Axis} axis @param {number} width_px */
    update(axis, width_px) {
      const ticks = ticksOf(axis, Math.max(2, Math.floor(width_px / tick_px)));
      // As many decimals as it takes for no two neighbours to read the same.
      const decimals = [0, 1, 2, 3].find((few) => new Set(ticks.map(({ ns }) => formatMoment(ns, few))).size === ticks.length) ?? 3;
      setChildren(
        element,
        ticks.map(({ x, ns }) => {
          const tick = h("span", { class: x < 0.04 ? "first" : x > 0.96 ? "last" : "" }, formatMoment(ns, decimals));
          tick.style.left = `${100 * x}%`;
          return tick;
        }),
      );
    },
  };
}

/**
 * @param {AbortSignal} signal
 * @param {import("./terminals.js").Send} send  what is typed into a terminal
 */
export function createObserve(signal, send) {
  /** @type {Props|null} */
  let shown = null;
  /** @type {Step[]} */
  let steps = [];
  /** @type {readonly number[]} */
  let moments = [];
  let zoom = whole;
  let to_scale = false;
  /** @type {number|null} */
  let cursor = null; // null: at the end, and with it while it goes on
  let width_px = 0;
  let replaying = 0;
  let read = "";

  const lanes = createLanes((call) => setCursor(call.end_ns ?? call.begin_ns));
  const gauge = createGauge();
  const ticks = createTicks();
  const line = h("div", { class: "cursor-line", "aria-hidden": "true" });
  const veil = h("div", { class: "cursor-veil", "aria-hidden": "true" });
  const overlay = h("div", { class: "cursor-layer" }, veil, line);
  const stepper = createStepper({ onstep: (to) => goTo(to), onreplay: () => toggleReplay() });
  const zooms = createZoom({ onzoom: (factor) => changeZoom(factor), onscale: () => { to_scale = !to_scale; zoom = whole; render(); } });
  const calls = createCalls((call) => setCursor(call.end_ns ?? call.begin_ns));
  const pictures = createPictures();
  const terminals = createTerminals(send);
  const plot = h("div", { class: "plot" }, lanes.element, gauge.element, h("div", { class: "lane axis" }, h("div", { class: "lane-head muted" }), h("div", { class: "lane-track" }, ticks.element)), overlay);
  const scale_note = h("p", { class: "muted scale-note" });
  const body = h("div", {}, terminals.element, zooms.element, plot, scale_note, stepper.element, calls.element);

  const observer = new ResizeObserver(() => {
    const now = Math.floor(ticks.element.clientWidth);
    if (now === 0 || now === width_px) return;
    width_px = now;
    render();
  });
  observer.observe(ticks.element);
  signal.addEventListener("abort", () => {
    observer.disconnect();
    stopReplay();
    hideTip();
  });

  /** @param {number} factor  0: everything */
  function changeZoom(factor) {
    const x = shown ? axisNow().place(cursorNs()) : 0.5;
    zoom = factor === 0 ? whole : zoomed(zoom, factor, x >= 0 && x <= 1 ? x : 0.5);
    render();
  }

  const axisNow = () => createAxis(moments, to_scale, zoom);
  const cursorNs = () => cursor ?? shown?.now_ns ?? 0;

  /** @param {number} ns */
  function setCursor(ns) {
    stopReplay();
    cursor = ns;
    render();
  }

  /** @param {number} index  -1: before the first */
  function goTo(index) {
    const step = steps[Math.min(Math.max(index, -1), steps.length - 1)];
    setCursor(step ? step.ns : -1);
    keepInView();
  }

  /** The cursor stays within what is zoomed to. */
  function keepInView() {
    const x = axisNow().place(Math.max(0, cursorNs()));
    if (x >= 0 && x <= 1) return;
    const span = zoom.to - zoom.from;
    const from = Math.min(1 - span, Math.max(0, zoom.from + (x - 0.5) * span));
    zoom = { from, to: from + span };
    render();
  }

  function stopReplay() {
    if (replaying) window.cancelAnimationFrame(replaying);
    replaying = 0;
  }

  function toggleReplay() {
    if (replaying) {
      stopReplay();
      render();
      return;
    }
    zoom = whole;
    const axis = axisNow();
    const from = cursor === null || cursor >= (shown?.timeline.end_ns ?? 0) ? 0 : Math.max(0, axis.place(cursor));
    const length_ms = Math.min(replay_ms_max, Math.max(replay_ms_min, steps.length * replay_ms_per_step));
    const began_ms = performance.now() - from * length_ms;
    const frame = () => {
      const x = (performance.now() - began_ms) / length_ms;
      replaying = x < 1 ? window.requestAnimationFrame(frame) : 0;
      cursor = x < 1 ? axis.timeAt(x) : null;
      render();
    };
    frame();
  }

  function render() {
    if (!shown || width_px === 0) return;
    const { timeline, now_ns, legend, look, live } = shown;
    const axis = axisNow();
    const cursor_ns = cursorNs();
    const enlarged = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const props = { timeline, axis, width_px, now_ns, cursor_ns, look, enlarged };
    const at = cursor === null ? steps.length - 1 : stepAt(steps, cursor_ns);
    setAttribute(plot, "data-hue", look.hue);
    setAttribute(plot, "data-shade", look.shade);
    lanes.update(props);
    gauge.update(props, panelsAt(timeline, "gauge", cursor_ns)[0]?.data ?? null);
    ticks.update(axis, width_px);
    zooms.update(to_scale);
    setText(scale_note, say(to_scale ? "observe.is_to_scale" : "observe.is_stretched"));
    scale_note.hidden = timeline.calls.length === 0;
    const x = Math.min(1, Math.max(0, axis.place(Math.max(0, cursor_ns))));
    line.style.left = `${100 * x}%`;
    veil.style.left = `${100 * x}%`;
    line.hidden = live && cursor === null;
    stepper.update(steps, at, replaying !== 0, now_ns);
    stepper.element.hidden = live || steps.length === 0;
    calls.update(props, cursor === null ? null : (steps[at]?.call ?? null));
    const kinds = [...new Set([...shown.panels, ...timeline.panels.map(({ panel }) => panel)])];
    pictures.update(kinds.filter(isPicture).flatMap((kind) => panelsAt(timeline, kind, cursor_ns)), legend);
    terminals.update(panelsAt(timeline, "terminals", cursor_ns)[0]?.data ?? null, live);
  }

  return {
    element: body,
    panels: pictures.element,
    /** @param {Props} props */
    update(props) {
      const { timeline, now_ns, live } = props;
      shown = props;
      const now = JSON.stringify([timeline.calls.length, timeline.end_ns, now_ns, live]);
      if (now !== read) {
        read = now;
        steps = stepsOf(timeline);
        const known = momentsOf(timeline);
        moments = live && now_ns > (known[known.length - 1] ?? 0) ? [...known, now_ns] : known;
      }
      render();
    },
    /** For another attempt. */
    reset() {
      stopReplay();
      cursor = null;
      zoom = whole;
      read = "";
    },
    replay: toggleReplay,
  };
}
