import js from "@eslint/js";

const browser = [
  "AbortController",
  "AbortSignal",
  "Blob",
  "crypto",
  "CSS",
  "CustomEvent",
  "document",
  "DOMException",
  "Element",
  "Event",
  "EventSource",
  "fetch",
  "File",
  "FormData",
  "getComputedStyle",
  "getSelection",
  "history",
  "HTMLElement",
  "HTMLInputElement",
  "innerWidth",
  "IntersectionObserver",
  "KeyboardEvent",
  "localStorage",
  "location",
  "matchMedia",
  "MessageEvent",
  "navigator",
  "performance",
  "requestAnimationFrame",
  "ResizeObserver",
  "URL",
  "URLSearchParams",
  "window",
  "XMLSerializer",
  "clearTimeout",
  "setTimeout",
];
const node = [
  "AbortController",
  "AbortSignal",
  "Buffer",
  "Event",
  "TextDecoder",
  "clearTimeout",
  "console",
  "fetch",
  "process",
  "setTimeout",
  "URL",
  "URLSearchParams",
];

/** @param {string[]} names */
const globals = (names) => Object.fromEntries(names.map((name) => [name, "readonly"]));

const injection = "Text reaches the page through text nodes only: see web/js/dom.js.";

export default [
  { ignores: ["**/node_modules/"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-shadow": "error",
    },
  },
  {
    files: ["web/**/*.js"],
    languageOptions: { globals: globals(browser) },
    rules: {
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML", "write", "writeln"].map((property) => ({
          property,
          message: injection,
        })),
      ],
    },
  },
  { files: ["web/js/theme.js"], languageOptions: { sourceType: "script" } },
  {
    files: ["tests/**/*.js"],
    languageOptions: {
      globals: globals([...node, "DataTransfer", "document", "File", "getComputedStyle", "location", "window"]),
    },
  },
];
