/**
 * Paths to views with the History API. A view lives until the path changes; a changed query is handed to the living
 * view, so that filters keep focus and scroll. Teardown is the abort of the view's signal.
 *
 * @typedef {{title: string, query?: (query: URLSearchParams) => void}} View
 * @typedef {object} ViewContext
 * @property {HTMLElement} root
 * @property {AbortSignal} signal
 * @property {string[]} parameters
 * @property {URLSearchParams} query
 * @property {import("./store.js").Store} store
 *
 * @typedef {{pattern: RegExp, nav: string, mount: (context: ViewContext) => View}} Route
 */

import { h } from "./dom.js";

/** @type {((href: string, replace: boolean) => void)|null} */
let go = null;

/**
 * @param {string} href
 * @param {{replace?: boolean}} [options]
 */
export function navigate(href, { replace = false } = {}) {
  go?.(href, replace);
}

/**
 * The current address with other parameters; null or nothing removes one.
 * @param {Record<string, string|null>} changes
 */
export function addressWith(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return text ? `${location.pathname}?${text}` : location.pathname;
}

/**
 * Changes parameters of the current address; null removes one.
 * @param {Record<string, string|null>} changes
 * @param {{replace?: boolean}} [options]
 */
export function navigateQuery(changes, options = { replace: true }) {
  navigate(addressWith(changes), options);
}

/** @param {string} title */
export function setTitle(title) {
  document.title = title ? `${title} · ipclab` : "ipclab";
}

/**
 * @param {Route[]} routes
 * @param {HTMLElement} main
 * @param {import("./store.js").Store} store
 */
export function startRouter(routes, main, store) {
  let path = "";
  /** @type {View|null} */
  let view = null;
  let lifetime = new AbortController();

  /** @param {boolean} first */
  function show(first) {
    const query = new URLSearchParams(location.search);
    if (location.pathname === path) {
      view?.query?.(query);
      return;
    }
    path = location.pathname;
    lifetime.abort();
    lifetime = new AbortController();
    const root = h("div", { class: "view" });
    main.replaceChildren(root);
    const match = routes.map((route) => ({ route, found: route.pattern.exec(path) })).find(({ found }) => found);
    if (match?.found) {
      view = match.route.mount({ root, signal: lifetime.signal, parameters: match.found.slice(1), query, store });
    } else {
      root.append(
        h("h1", { tabindex: "-1" }, "There is no such page"),
        h("p", {}, h("a", { href: "/" }, "Back to the mechanisms")),
      );
      view = { title: "Not found" };
    }
    setTitle(view.title);
    for (const link of document.querySelectorAll(".site-nav a")) {
      if (link.getAttribute("href") === match?.route.nav) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (!first) {
      window.scrollTo(0, 0);
      root.querySelector("h1")?.focus({ preventScroll: true });
    }
  }

  go = (href, replace) => {
    if (replace) history.replaceState(null, "", href);
    else history.pushState(null, "", href);
    show(false);
  };

  window.addEventListener("popstate", () => show(false));
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (
      !link ||
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    if (link.origin !== location.origin || link.target || link.hasAttribute("download")) return;
    if (!routes.some((route) => route.pattern.test(link.pathname))) return;
    if (link.pathname === location.pathname && link.hash) return;
    event.preventDefault();
    go?.(link.href, link.href === location.href);
  });
  show(true);
}
