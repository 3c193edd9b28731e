/**
 * How mechanisms look and in which order their families stand: one hue a family, one shade and one marker a mechanism,
 * by its place in the catalogue. Pure.
 */

/**
 * @typedef {import("./types.js").Mechanism} Mechanism
 * @typedef {"circle"|"square"|"triangle"|"diamond"|"wedge"|"plus"|"hexagon"|"cross"} Shape
 * @typedef {{hue: string, shade: number, shape: Shape}} Look
 * @typedef {{name: string, title: string, note: string, mechanisms: Mechanism[]}} Family
 */

/** @type {Shape[]} */
const shapes = ["circle", "square", "triangle", "diamond", "wedge", "plus", "hexagon", "cross"];

/**
 * In the order they are shown. A family that is not among them takes the place of `unheard_of`. The marker of a
 * family's first mechanism is chosen so that what is mostly compared, the quick look, has six different ones.
 * @type {Record<string, {title: string, note: string, hue: string, shades: number, first: number}>}
 */
const families = {
  memory: {
    title: "Memory",
    note: "the payload is written where the other reads it",
    hue: "memory",
    shades: 6,
    first: 0,
  },
  byte_stream: { title: "Byte streams", note: "the kernel copies in and out", hue: "stream", shades: 4, first: 5 },
  socket: { title: "Sockets", note: "the kernel copies, with addresses", hue: "socket", shades: 6, first: 0 },
  message_queue: {
    title: "Message queues",
    note: "the kernel keeps whole messages",
    hue: "queue",
    shades: 3,
    first: 6,
  },
  signal: { title: "Wake-ups", note: "announce what lies in shared memory", hue: "signal", shades: 3, first: 2 },
  technique: {
    title: "Techniques",
    note: "fewer copies or fewer calls, at a price",
    hue: "technique",
    shades: 3,
    first: 3,
  },
  unheard_of: { title: "", note: "", hue: "other", shades: 3, first: 1 },
  control: { title: "Controls", note: "what the loop itself costs", hue: "other", shades: 3, first: 0 },
};
const family_order = Object.keys(families);

/** @param {string} name */
const familyOf = (name) => families[name] ?? families.unheard_of;

/** @param {string} name */
const rankOf = (name) => family_order.indexOf(name in families ? name : "unheard_of");

/**
 * Controls are measured like mechanisms, but carry nothing from one process to another.
 * @param {Pick<Mechanism, "family">} mechanism
 */
export const isControl = ({ family }) => family === "control";

/** @param {string} name */
function titleOf(name) {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * Families in their order, the mechanisms of each in that of the catalogue.
 * @param {readonly Mechanism[]} mechanisms
 * @returns {Family[]}
 */
export function groupByFamily(mechanisms) {
  /** @type {Map<string, Family>} */
  const groups = new Map();
  for (const mechanism of mechanisms) {
    const { family } = mechanism;
    const { title, note } = familyOf(family);
    const group = groups.get(family) ?? { name: family, title: title || titleOf(family), note, mechanisms: [] };
    group.mechanisms.push(mechanism);
    groups.set(family, group);
  }
  return [...groups.values()].sort((a, b) => rankOf(a.name) - rankOf(b.name));
}

/**
 * @param {readonly Mechanism[]} mechanisms
 * @returns {Map<string, Look>}
 */
export function looksOf(mechanisms) {
  const looks = new Map();
  for (const group of groupByFamily(mechanisms)) {
    const { hue, shades, first } = familyOf(group.name);
    group.mechanisms.forEach((mechanism, i) => {
      looks.set(mechanism.name, { hue, shade: (i % shades) + 1, shape: shapes[(first + i) % shapes.length] });
    });
  }
  return looks;
}

/** @type {Look} */
export const plain_look = { hue: "other", shade: 1, shape: "circle" };

/**
 * @typedef {object} Legend
 * @property {(name: string) => string} titleOf
 * @property {(name: string) => Look} lookOf
 * @property {(name: string) => boolean} isControl
 */

/**
 * What a mechanism's name stands for; a name the catalogue does not know stands for itself.
 * @param {readonly Mechanism[]} mechanisms
 * @returns {Legend}
 */
export function legendOf(mechanisms) {
  const titles = new Map(mechanisms.map((one) => [one.name, one.title]));
  const looks = looksOf(mechanisms);
  const controls = new Set(mechanisms.filter(isControl).map((one) => one.name));
  return {
    titleOf: (name) => titles.get(name) ?? name,
    lookOf: (name) => looks.get(name) ?? plain_look,
    isControl: (name) => controls.has(name),
  };
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
