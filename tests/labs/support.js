/**
 * Runs labs as the server does, but from a pipe: parameters in, JSON lines out. Also finds the processes of one, and
 * what it left behind.
 *
 * @typedef {{[name: string]: string|number|boolean}} Parameters
 * @typedef {{status: number|null, lines: any[], result: any, stderr: string}} Ended
 * @typedef {object} Options
 * @property {boolean} [as_nobody]  an ordinary user, where this one is root
 * @property {boolean} [uncaged]  as on a machine that refuses namespaces
 * @property {string} [tmp]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { createInterface } from "node:readline";

import { build } from "../api/support/server.js";

const nobody = 65534;

export const is_root = process.getuid?.() === 0;

/** @param {string[]} words @param {Options} [options] */
function startWorker(words, { as_nobody = false, uncaged = false, tmp } = {}) {
  const env = { ...process.env, ...(uncaged ? { IPCLAB_UNCAGED: "1" } : {}), ...(tmp ? { TMPDIR: tmp } : {}) };
  const user = as_nobody && is_root ? { uid: nobody, gid: nobody } : {};
  return spawn(`${build}/ipclab-worker`, words, { env, ...user });
}

/**
 * A lab that is going on. `seen` waits for a line.
 * @param {string} name @param {Parameters} parameters @param {Options} [options]
 */
export function startLab(name, parameters, options) {
  const child = startWorker(["lab", name], options);
  /** @type {any[]} */
  const lines = [];
  /** @type {Set<() => void>} */
  const waiting = new Set();
  let stderr = "";
  child.stdin.on("error", () => {}); // it may have ended before it read all
  child.stderr.on("data", (text) => (stderr += text));
  createInterface(child.stdout).on("line", (line) => {
    if (!line.endsWith("}")) return; // a killed leader's last one may be cut off
    lines.push(JSON.parse(line));
    for (const wake of waiting) wake();
  });
  const ended = once(child, "close").then(([status]) => {
    for (const wake of waiting) wake();
    return /** @type {Ended} */ ({ status, lines, stderr, result: lines.find((/** @type {any} */ line) => line.type === "result") ?? null });
  });
  // Its standard input is a socket to Node, and stays open: an end of it is a server that has gone.
  child.stdin.write(`${JSON.stringify({ parameters })}\n`);
  /** @param {(line: any) => boolean} wanted */
  const seen = async (wanted) => {
    while (!lines.some(wanted)) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${name} ended first: ${stderr}`);
      await new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
        const wake = () => (waiting.delete(wake), resolve());
        waiting.add(wake);
      });
    }
  };
  const say = (/** @type {object} */ line) => child.stdin.write(`${JSON.stringify(line)}\n`);
  return { child, lines, ended, seen, say };
}

/** @param {string} name @param {Parameters} [parameters] @param {Options} [options] @returns {Promise<Ended>} */
export const takeLab = (name, parameters = {}, options) => startLab(name, parameters, options).ended;

/** What the worker prints about itself. @param {"labs"|"describe"} word */
async function ask(word) {
  const child = startWorker([word]);
  let text = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  await once(child, "close");
  return JSON.parse(text);
}

/** @returns {Promise<any[]>} */
export const catalogue = async () => (await ask("labs")).labs;

/** @param {string} name */
export const titleOf = async (name) => (await ask("describe")).mechanisms.find((/** @type {any} */ one) => one.name === name).title;

/** @param {number|undefined} pid */
export async function childrenOf(pid) {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.split(" ").filter(Boolean).map(Number);
}

/** The processes of a lab: the program, the keeper of its walls, its leader, its workers. @param {number} pid */
export async function processesOf(pid) {
  const [keeper] = await childrenOf(pid);
  const [leader] = await childrenOf(keeper);
  return { program: pid, keeper, leader, workers: await childrenOf(leader) };
}

/** What a process has open, as /proc names it. @param {number} pid @returns {Promise<string[]>} */
export async function descriptorsOf(pid) {
  const numbers = await readdir(`/proc/${pid}/fd`);
  return Promise.all(numbers.map((number) => readlink(`/proc/${pid}/fd/${number}`).catch(() => "")));
}

/** @param {number} pid  also true of one that only waits to be reaped by somebody else's init */
async function lives(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") X");
  return !/\) [XZ]/.test(stat);
}

/** @param {number[]} pids */
export async function waitForEnd(pids) {
  for (const pid of pids) while (await lives(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Segments that one of these processes made, and files in the directory. @param {number[]} pids @param {string} directory */
export async function leftBy(pids, directory) {
  const left = (await readdir(directory)).map((name) => `${directory}/${name}`);
  const text = await readFile("/proc/sysvipc/shm", "utf8");
  for (const line of text.trim().split("\n").slice(1)) {
    const [key, id, , , creator] = line.trim().split(/\s+/);
    if (pids.includes(Number(creator))) left.push(`segment ${id} under ${key}`);
  }
  return left;
}
