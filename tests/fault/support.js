/**
 * What a crash could leave on this machine, and who is to be killed.
 */
import { readdir, readFile, readlink } from "node:fs/promises";
import { resolve } from "node:path";

import { build } from "../api/support/server.js";

/** @param {string} path */
const readLines = async (path) => (await readFile(path, "utf8")).trimEnd().split("\n");

/** Kernel objects and names that a crew makes outside its own directory. */
export async function residue() {
  const ids = await Promise.all(["shm", "sem", "msg"].map(async (kind) => (await readLines(`/proc/sysvipc/${kind}`)).slice(1).map((line) => `${kind} ${line.trim().split(/\s+/)[1]}`)));
  return [...ids.flat(), ...(await readdir("/dev/shm"))];
}

/** Processes of the worker program in this directory, whoever started them. */
export async function workerProcesses(directory = build) {
  const program = resolve(directory, "ipclab-worker");
  const found = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const executable = await readlink(`/proc/${pid}/exe`).catch(() => "");
    if (executable === program) found.push(Number(pid));
  }
  return found;
}
