/** Hands what the page shows to the reader as a file: texts, drawings, the page itself. Nothing goes over the network. */

import { h, svg } from "./dom.js";

/**
 * @param {string} name  of the file
 * @param {string} type
 * @param {string} text
 */
export function saveText(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = h("a", { href: address, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  // The browser reads it after the click: not at once.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

const drawn_properties = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linejoin",
  "opacity",
  "fill-opacity",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
];

/**
 * A drawing as a file that needs no style sheet: what the page's rules come to is written as attributes.
 * @param {SVGSVGElement} drawing  as it stands in the page
 */
export function svgText(drawing) {
  const copy = /** @type {SVGSVGElement} */ (drawing.cloneNode(true));
  const originals = [drawing, ...drawing.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, i) => {
    const style = getComputedStyle(originals[i]);
    for (const name of drawn_properties) element.setAttribute(name, style.getPropertyValue(name));
    element.removeAttribute("tabindex");
  });
  const ground = getComputedStyle(drawing.closest(".card") ?? document.body).backgroundColor;
  copy.prepend(svg("rect", { width: "100%", height: "100%", fill: ground }));
  copy.setAttribute("viewBox", `0 0 ${drawing.getAttribute("width")} ${drawing.getAttribute("height")}`);
  return new XMLSerializer().serializeToString(copy);
}

/**
 * A part of the page as one file that asks for nothing: the text of all style sheets, and the elements as they stand,
 * without what only works with the server.
 * @param {Element} part
 * @param {string} title
 * @returns {Promise<string>}
 */
export async function reportText(part, title) {
  const copy = /** @type {Element} */ (part.cloneNode(true));
  for (const element of copy.querySelectorAll("[hidden], .no-print, button:not(.sort), script")) element.remove();
  for (const element of copy.querySelectorAll("[tabindex]")) element.removeAttribute("tabindex");
  for (const link of copy.querySelectorAll("a[href]"))
    link.setAttribute("href", new URL(link.getAttribute("href") ?? "", location.href).href);
  // As they are served: what the browser says of its rules lacks shorthands that hold a variable.
  const sheets = [...document.styleSheets].flatMap(({ href }) => href ?? []);
  const rules = await Promise.all(sheets.map(async (address) => (await fetch(address)).text()));
  const theme = document.documentElement.dataset.theme;
  const body = new XMLSerializer().serializeToString(h("main", {}, copy));
  const head = [`<meta charset="utf-8">`, `<meta name="viewport" content="width=device-width, initial-scale=1">`];
  head.push(`<title>${title.replace(/[&<>]/g, "")}</title>`, `<style>\n${rules.join("\n")}\n</style>`);
  return `<!DOCTYPE html>\n<html lang="en"${theme ? ` data-theme="${theme}"` : ""}><head>${head.join("\n")}</head><body>${body}</body></html>\n`;
}
