/** The cursor of a chart: one point is in the tab order, the arrow keys move it along its line and between lines. */

/** @param {HTMLElement} plot */
export function createCursor(plot) {
  /** @type {SVGGElement[][]} */
  let points = [];
  let at = { series: 0, point: 0 };

  /** @param {number} series @param {number} point @param {boolean} focus */
  function moveTo(series, point, focus) {
    points[at.series]?.[at.point]?.setAttribute("tabindex", "-1");
    const row = Math.min(Math.max(series, 0), points.length - 1);
    const column = Math.min(Math.max(point, 0), (points[row]?.length ?? 1) - 1);
    at = { series: row, point: column };
    const target = points[row]?.[column];
    target?.setAttribute("tabindex", "0");
    if (focus) target?.focus();
  }

  plot.addEventListener("keydown", (event) => {
    const { series, point } = at;
    /** @type {Record<string, [number, number]>} */
    const moves = {
      ArrowRight: [series, point + 1],
      ArrowLeft: [series, point - 1],
      ArrowDown: [series + 1, point],
      ArrowUp: [series - 1, point],
      Home: [series, 0],
      End: [series, Infinity],
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    moveTo(move[0], move[1], true);
  });

  return {
    /**
     * Takes the place it had in the chart as it was drawn before.
     * @param {SVGGElement[][]} drawn  by series
     * @param {boolean} focus
     */
    follow(drawn, focus) {
      points = drawn;
      moveTo(at.series, at.point, focus);
    },
  };
}
