/** How mechanisms look: one hue a family, one shade and one marker a mechanism, by their place in the catalogue. Pure. */

/**
 * @typedef {import("./types.js").Mechanism} Mechanism
 * @typedef {"circle"|"square"|"triangle"|"diamond"|"wedge"|"plus"|"hexagon"|"cross"} Shape
 * @typedef {{hue: string, shade: number, shape: Shape}} Look
 * @typedef {{name: string, title: string, mechanisms: Mechanism[]}} Family
 */

/** @type {Shape[]} */
const shapes = ["circle", "square", "triangle", "diamond", "wedge", "plus", "hexagon", "cross"];

/** @type {Record<string, {title: string, hue: string, shades: number}>} */
const families = {
  memory: { title: "Memory", hue: "memory", shades: 6 },
  byte_stream: { title: "Byte streams", hue: "stream", shades: 4 },
  socket: { title: "Sockets", hue: "socket", shades: 6 },
  message_queue: { title: "Message queues", hue: "queue", shades: 3 },
  signal: { title: "Signals", hue: "signal", shades: 3 },
  technique: { title: "Techniques", hue: "technique", shades: 3 },
  control: { title: "Controls", hue: "other", shades: 3 },
};

/** @param {string} name */
function titleOf(name) {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * Families in the order of the catalogue.
 * @param {readonly Mechanism[]} mechanisms
 * @returns {Family[]}
 */
export function groupByFamily(mechanisms) {
  /** @type {Map<string, Family>} */
  const groups = new Map();
  for (const mechanism of mechanisms) {
    const { family } = mechanism;
    let group = groups.get(family);
    if (!group)
      groups.set(family, (group = { name: family, title: families[family]?.title ?? titleOf(family), mechanisms: [] }));
    group.mechanisms.push(mechanism);
  }
  return [...groups.values()];
}

/**
 * @param {readonly Mechanism[]} mechanisms
 * @returns {Map<string, Look>}
 */
export function looksOf(mechanisms) {
  const looks = new Map();
  for (const group of groupByFamily(mechanisms)) {
    const { hue, shades } = families[group.name] ?? { hue: "other", shades: 3 };
    group.mechanisms.forEach((mechanism, i) => {
      looks.set(mechanism.name, { hue, shade: (i % shades) + 1, shape: shapes[i % shapes.length] });
    });
  }
  return looks;
}

/** @type {Look} */
export const plain_look = { hue: "other", shade: 1, shape: "circle" };

/** @typedef {{titleOf: (name: string) => string, lookOf: (name: string) => Look}} Legend */

/**
 * What a mechanism's name stands for; a name the catalogue does not know stands for itself.
 * @param {readonly Mechanism[]} mechanisms
 * @returns {Legend}
 */
export function legendOf(mechanisms) {
  const titles = new Map(mechanisms.map((one) => [one.name, one.title]));
  const looks = looksOf(mechanisms);
  return { titleOf: (name) => titles.get(name) ?? name, lookOf: (name) => looks.get(name) ?? plain_look };
}

/**
 * The outline of a marker as an SVG path around (x, y).
 * @param {Shape} shape
 * @param {number} x
 * @param {number} y
 * @param {number} r
 */
export function markerPath(shape, x, y, r) {
  /** @param {[number, number][]} points */
  const polygon = (points) =>
    `M${points.map(([dx, dy]) => `${(x + dx * r).toFixed(2)} ${(y + dy * r).toFixed(2)}`).join("L")}Z`;
  switch (shape) {
    case "circle":
      return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
    case "square":
      return polygon([
        [-0.85, -0.85],
        [0.85, -0.85],
        [0.85, 0.85],
        [-0.85, 0.85],
      ]);
    case "triangle":
      return polygon([
        [0, -1.05],
        [1.05, 0.85],
        [-1.05, 0.85],
      ]);
    case "diamond":
      return polygon([
        [0, -1.15],
        [1.15, 0],
        [0, 1.15],
        [-1.15, 0],
      ]);
    case "wedge":
      return polygon([
        [0, 1.05],
        [1.05, -0.85],
        [-1.05, -0.85],
      ]);
    case "plus":
      return polygon([
        [-0.38, -1],
        [0.38, -1],
        [0.38, -0.38],
        [1, -0.38],
        [1, 0.38],
        [0.38, 0.38],
        [0.38, 1],
        [-0.38, 1],
        [-0.38, 0.38],
        [-1, 0.38],
        [-1, -0.38],
        [-0.38, -0.38],
      ]);
    case "hexagon":
      return polygon([
        [-1.05, 0],
        [-0.52, -0.95],
        [0.52, -0.95],
        [1.05, 0],
        [0.52, 0.95],
        [-0.52, 0.95],
      ]);
    case "cross":
      return polygon([
        [-1, -0.5],
        [-0.5, -1],
        [0, -0.5],
        [0.5, -1],
        [1, -0.5],
        [0.5, 0],
        [1, 0.5],
        [0.5, 1],
        [0, 0.5],
        [-0.5, 1],
        [-1, 0.5],
        [-0.5, 0],
      ]);
  }
}
