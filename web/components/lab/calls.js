/** The calls as a table, a page at a time: what was called, what came back, how long it took. The row at the cursor stands out. */

import { h, setAttribute, setChildren, setText, syncChildren } from "../../js/dom.js";
import { formatCount, formatMoment, formatNs } from "../../js/format.js";
import { say } from "../../js/messages.js";
import { durationOf, kindOf, levelAfter } from "../../js/timeline.js";
import { levelText } from "./gauge.js";
import { returnText } from "./lanes.js";

/**
 * @typedef {import("../../js/types.js").Call} Call
 * @typedef {{call: Call, level: string, at_cursor: boolean, future: boolean, now_ns: number}} Row
 */

const page_calls = 50;

/** @param {(call: Call) => void} onpick */
function createRow(onpick) {
  const time = h("td", { class: "number mono" });
  const worker = h("td", {});
  const call = h("td", { class: "call-text mono" });
  const returned = h("td", { class: "number mono" });
  const took = h("td", { class: "number" });
  const level = h("td", { class: "number mono level" });
  /** @type {Row|null} */
  let shown = null;
  const element = h(
    "tr",
    { onclick: () => shown && onpick(shown.call) },
    time,
    worker,
    call,
    returned,
    took,
    level,
  );
  return {
    element,
    /** @param {Row} row */
    update(row) {
      shown = row;
      const { call: one } = row;
      const kind = kindOf(one, row.now_ns);
      const duration = formatNs(durationOf(one, row.now_ns));
      setText(time, formatMoment(one.begin_ns));
      setText(worker, one.worker);
      setText(call, `${one.call}(${one.arguments})`);
      setText(returned, returnText(one));
      returned.classList.toggle("bad", one.errno !== null);
      const waited = kind === "blocked" || kind === "slept";
      const words = waited ? say(`observe.${one.end_ns === null ? "still_" : ""}${kind}_for`, { took: duration }) : duration;
      setChildren(took, waited ? h("span", { class: `chip ${kind === "blocked" ? "warn" : ""}` }, words) : words);
      setText(level, row.level);
      element.classList.toggle("future", row.future);
      element.classList.toggle("waited", waited);
      setAttribute(element, "aria-current", row.at_cursor ? "step" : null);
    },
  };
}

/** @param {(call: Call) => void} onpick */
export function createCalls(onpick) {
  let page = 0;
  let of_worker = "";
  /** @type {Call|null} */
  let followed = null;
  /** @type {import("./lanes.js").Props|null} */
  let shown = null;
  const rows = h("tbody");
  const level_head = h("th", { scope: "col", class: "number level" });
  const worker_filter = h("select", {
    onchange: () => {
      of_worker = worker_filter.value;
      page = 0;
      render(null);
    },
  });
  const position = h("span", { class: "muted" });
  /** @param {number} by */
  const turn = (by) => {
    page += by;
    render(null);
  };
  const back = h("button", { type: "button", class: "small", onclick: () => turn(-1) }, say("calls.back"));
  const on = h("button", { type: "button", class: "small", onclick: () => turn(1) }, say("calls.on"));
  const pager = h("div", { class: "row no-print" }, back, position, on);
  const dropped = h("p", { class: "muted" });
  const scroller = h(
    "div",
    { class: "scroll-x calls-scroll", role: "region", "aria-label": say("calls.title"), tabindex: "0" },
    h(
      "table",
      { class: "data-table calls" },
      h("caption", { class: "visually-hidden" }, say("calls.caption")),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col", class: "number" }, say("calls.time")),
          h("th", { scope: "col" }, say("calls.process")),
          h("th", { scope: "col" }, say("calls.call")),
          h("th", { scope: "col", class: "number" }, say("calls.returned")),
          h("th", { scope: "col", class: "number" }, say("calls.took")),
          level_head,
        ),
      ),
      rows,
    ),
  );
  const element = h(
    "section",
    { class: "calls-section", "aria-label": say("calls.title") },
    h(
      "div",
      { class: "card-head" },
      h("h3", {}, say("calls.title")),
      h("div", { class: "row" }, h("label", { class: "inline-label no-print" }, say("calls.process"), worker_filter), pager),
    ),
    scroller,
    dropped,
  );

  /** @param {Call|null} at_cursor  the page turns to it */
  function render(at_cursor) {
    if (!shown) return;
    const { timeline, now_ns, cursor_ns } = shown;
    const calls = of_worker ? timeline.calls.filter(({ worker }) => worker === of_worker) : timeline.calls;
    const pages = Math.max(1, Math.ceil(calls.length / page_calls));
    const at = at_cursor ? calls.indexOf(at_cursor) : -1;
    if (at >= 0) page = Math.floor(at / page_calls);
    page = Math.min(Math.max(page, 0), pages - 1);
    const seen = calls.slice(page * page_calls, (page + 1) * page_calls);
    const has_levels = timeline.panels.some(({ panel }) => panel === "gauge");
    element.classList.toggle("with-level", has_levels);
    setText(level_head, has_levels ? say("calls.level") : "");
    syncChildren(
      rows,
      seen.map((call) => ({
        call,
        level: has_levels && call.end_ns !== null ? levelText(levelAfter(timeline, call)) : "",
        at_cursor: call === followed,
        future: call.begin_ns > cursor_ns,
        now_ns,
      })),
      ({ call }) => String(call.number),
      () => createRow(onpick),
    );
    const [first, last] = [page * page_calls + 1, page * page_calls + seen.length];
    setText(position, say("calls.position", { first: formatCount(first), last: formatCount(last), all: formatCount(calls.length) }));
    pager.hidden = pages === 1;
    back.disabled = page === 0;
    on.disabled = page === pages - 1;
    element.hidden = timeline.calls.length === 0;
    setText(dropped, timeline.dropped_calls ? say("calls.dropped", { count: formatCount(timeline.dropped_calls) }) : "");
    if (at >= 0) scrollTo(rows.children[at % page_calls]);
  }

  /** Within the table only: the page itself stays where the reader has it. @param {Element|undefined} row */
  function scrollTo(row) {
    if (!(row instanceof HTMLElement)) return;
    const head_px = 34;
    const { scrollTop, clientHeight } = scroller;
    if (row.offsetTop - head_px < scrollTop) scroller.scrollTop = row.offsetTop - head_px;
    else if (row.offsetTop + row.offsetHeight > scrollTop + clientHeight)
      scroller.scrollTop = row.offsetTop + row.offsetHeight - clientHeight;
  }

  return {
    element,
    /** @param {import("./lanes.js").Props} props @param {Call|null} current  at the cursor */
    update(props, current) {
      const names = props.timeline.workers.map(({ worker }) => worker);
      if (worker_filter.children.length !== names.length + 1) {
        setChildren(
          worker_filter,
          h("option", { value: "" }, say("calls.all")),
          names.map((name) => h("option", { value: name, selected: name === of_worker }, name)),
        );
      }
      const moved = current !== followed;
      shown = props;
      followed = current;
      render(moved ? current : null);
    },
  };
}
