/**
 * Elements from values. Every text becomes a text node and every attribute goes through setAttribute, so nothing a
 * user or a server wrote can become markup. `style` is refused: the content security policy would ignore it.
 *
 * @typedef {Node|string|number|null|undefined|false} Child
 * @typedef {Record<string, string|number|boolean|null|undefined|((event: any) => void)>} Attributes
 */

const svg_namespace = "http://www.w3.org/2000/svg";

/**
 * @template {Element} T
 * @param {T} element
 * @param {Attributes} attributes  a function is a listener for the event `on…` names; null, undefined and false are left out
 * @param {(Child|Child[])[]} children
 * @returns {T}
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "style") throw new TypeError("style attributes are refused by the page's policy");
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else setAttribute(element, name, value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false)
      element.append(typeof child === "number" ? String(child) : child);
  }
  return element;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} [attributes]
 * @param {...(Child|Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} [attributes]
 * @param {...(Child|Child[])} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(
    /** @type {SVGElementTagNameMap[K]} */ (document.createElementNS(svg_namespace, tag)),
    attributes,
    children,
  );
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string|number|boolean|null|undefined} value
 */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value === true ? "" : value))
    element.setAttribute(name, value === true ? "" : String(value));
}

/**
 * Writes only what changed, so that live regions speak and selections stay only where something is new.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Replaces the children.
 * @param {Element} element
 * @param {...(Child|Child[])} children
 */
export function setChildren(element, ...children) {
  element.replaceChildren();
  fill(element, {}, children);
}

const focusable = "a[href], button, input, select, textarea";

/**
 * Replaces the children by others of the same kind; the focus stays at its place among them.
 * @param {Element} element
 * @param {...(Child|Child[])} children
 */
export function renewChildren(element, ...children) {
  const at = [...element.querySelectorAll(focusable)].findIndex((one) => one === document.activeElement);
  setChildren(element, ...children);
  const next = at < 0 ? null : element.querySelectorAll(focusable)[at];
  /** @type {HTMLElement|null|undefined} */ (next)?.focus({ preventScroll: true });
}

/** @type {WeakMap<Element, Map<string, {element: Element, update: (item: any) => void}>>} */
const kept = new WeakMap();

/**
 * Makes the children of `parent` follow `items`: an item that stays keeps its element, and with it focus and selection.
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {(item: T) => string} key_of
 * @param {(item: T) => {element: Element, update: (item: T) => void}} create
 */
export function syncChildren(parent, items, key_of, create) {
  const before = kept.get(parent) ?? new Map();
  const after = new Map();
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = key_of(item);
    const child = before.get(key) ?? create(item);
    child.update(item);
    after.set(key, child);
    if (place !== null && child.element === place) place = place.nextElementSibling;
    else parent.insertBefore(child.element, place);
  }
  while (place) {
    const next = place.nextElementSibling;
    place.remove();
    place = next;
  }
  kept.set(parent, after);
}
