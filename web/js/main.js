/** Wiring only: the store, the stream, the frame and the routes. */

import { loadCatalogue, loadFrame, tellProblem } from "./actions.js";
import { h, setChildren, setText } from "./dom.js";
import { startEvents } from "./events.js";
import { formatCount } from "./format.js";
import { startRouter } from "./router.js";
import { createStore } from "./store.js";
import { createBanners } from "../components/banner/banner.js";
import { mountApi } from "../views/api.js";
import { mountCompare } from "../views/compare.js";
import { mountClaim } from "../views/claim.js";
import { mountClaims } from "../views/claims.js";
import { mountLab } from "../views/lab.js";
import { mountLabs } from "../views/labs.js";
import { mountOverview } from "../views/overview.js";
import { mountRun } from "../views/run.js";
import { mountRuns } from "../views/runs.js";
import { mountTrends } from "../views/trends.js";

/** @type {import("./router.js").Route[]} */
const routes = [
  { pattern: /^\/$/, nav: "/", mount: mountOverview },
  { pattern: /^\/labs\/?$/, nav: "/labs", mount: mountLabs },
  { pattern: /^\/labs\/(\w+)$/, nav: "/labs", mount: mountLab },
  { pattern: /^\/claims\/?$/, nav: "/claims", mount: mountClaims },
  { pattern: /^\/claims\/(\d+)$/, nav: "/claims", mount: mountClaim },
  { pattern: /^\/runs\/?$/, nav: "/runs", mount: mountRuns },
  { pattern: /^\/runs\/(\d+)$/, nav: "/runs", mount: mountRun },
  { pattern: /^\/compare$/, nav: "/compare", mount: mountCompare },
  { pattern: /^\/trends$/, nav: "/trends", mount: mountTrends },
  { pattern: /^\/api$/, nav: "/api", mount: mountApi },
];

/** @param {string} id */
function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html lacks #${id}`);
  return element;
}

/** @param {import("./types.js").Facts|undefined} facts @param {string} name */
const fact = (facts, name) =>
  typeof facts?.[name] === "string" || typeof facts?.[name] === "number" ? String(facts[name]) : "";

/** @param {import("./types.js").Machine|null} machine */
function machineText(machine) {
  if (!machine) return "";
  const kernel = fact(machine.facts, "kernel");
  const cpus = fact(machine.facts, "cpus_online");
  const model = fact(machine.facts, "cpu_model")
    .replace(/\((R|TM)\)|\bCPU\b|@.*$|\b\d+-Core\b|\bProcessor\b/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return [machine.host, kernel && `Linux ${kernel.replace(/^Linux /, "")}`, [cpus, model].filter(Boolean).join(" × ")]
    .filter(Boolean)
    .join(" · ");
}

/** @param {HTMLElement} button */
function wireTheme(button) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const current = () => document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
  const show = () => setText(button, current() === "dark" ? "Light" : "Dark");
  button.addEventListener("click", () => {
    const theme = current() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // Storage is refused: the choice holds until the page is left.
    }
    show();
  });
  button.setAttribute("title", "Switch between light and dark");
  dark.addEventListener("change", show);
  show();
}

const forever = new AbortController().signal;
const store = createStore();
const stream = startEvents(store);

const { banners, notice } = createBanners(store, forever, () => stream.retryNow());
byId("banners").append(banners, notice);
wireTheme(byId("theme"));

store.watch(
  (state) => [state.machine, state.runs, state.health],
  (machine, runs, health) => {
    const told = health?.run ? !runs.has(health.run) : false;
    const busy = told || [...runs.values()].some((run) => run.state === "running");
    const text = machineText(machine);
    // On a narrow page the machine is cut short, but not what it does.
    setChildren(byId("machine"), text && [h("span", {}, text), h("span", {}, ` · ${busy ? "measuring" : "idle"}`)]);
  },
  forever,
);

store.watch(
  (state) => [state.health],
  (health) => {
    setChildren(
      byId("foot"),
      health && h("span", {}, `ipclab ${health.version}`),
      health?.queue ? ` · ${formatCount(health.queue)} waiting` : "",
    );
  },
  forever,
);

store.watch(
  (state) => [state.resync],
  (resync) => {
    if (resync === 0) return;
    loadFrame(store).catch((error) => tellProblem(store, error));
    loadCatalogue(store).catch((error) => tellProblem(store, error));
  },
  forever,
);

startRouter(routes, byId("main"), store);
