/**
 * Programs run beside the server: started, waited for, pinned, and ended with all they started.
 */
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

const poll_ms = 5;

/** @param {number} ms */
export const pause = (ms) => new Promise((settle) => { setTimeout(settle, ms); });

/** @param {number} pid */
function endGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}

/**
 * A program with a process group of its own.
 * @param {string[]} command
 */
export function start(command) {
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  child.stdout.on("data", (chunk) => { output += chunk; });
  child.stderr.on("data", (chunk) => { output += chunk; });
  const ended = new Promise((settle) => {
    child.on("error", (error) => settle(String(error)));
    child.on("close", (status, signal) => settle(status === 0 ? null : `ended with ${signal ?? status}`));
  });
  return { pid: child.pid ?? 0, ended, output: () => output, end: () => { if (child.pid) endGroup(child.pid); } };
}

/**
 * Runs a program to its end and answers what it said. Throws when it fails or takes longer than seconds.
 * @param {string[]} command
 * @param {{seconds?: number, started?: (pid: number) => Promise<void>}} [options]
 * @returns {Promise<string>}
 */
export async function run(command, { seconds = 30, started } = {}) {
  const program = start(command);
  const timer = setTimeout(program.end, seconds * 1000);
  try {
    if (started) await Promise.race([started(program.pid), program.ended]);
    const failure = await program.ended;
    if (failure) throw new Error(`${failure}: ${program.output().trim().split("\n").slice(-2).join(" ").slice(0, 200)}`);
    return program.output();
  } finally {
    clearTimeout(timer);
    program.end();
  }
}

/** @param {number} pid */
function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/**
 * Pins the children of a process, in the order it starts them: what a program that places its processes by luck needs
 * before it can be compared.
 * @param {number} pid
 * @param {number[]} cpus  one for each child that is waited for
 */
export async function pinChildren(pid, cpus) {
  for (let tries = 0; tries < 400; tries++) {
    const children = childrenOf(pid);
    if (children.length >= cpus.length) {
      cpus.forEach((cpu, index) => execFileSync("taskset", ["-cp", String(cpu), String(children[index])]));
      return;
    }
    await pause(poll_ms);
  }
  throw new Error("its processes did not appear");
}

/** A port that was free a moment ago. @returns {Promise<number>} */
export function freePort() {
  return new Promise((settle, fail) => {
    const server = createServer();
    server.on("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => settle(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/**
 * Until somebody listens there.
 * @param {number} port
 * @param {"tcp"|"udp"} protocol
 */
export async function listening(port, protocol) {
  const wanted = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, "0")} \\S+ ${protocol === "tcp" ? "0A" : "07"} `);
  for (let tries = 0; tries < 400; tries++) {
    const table = [protocol, `${protocol}6`].map((name) => readFileSync(`/proc/net/${name}`, "utf8")).join("\n");
    if (wanted.test(table)) return;
    await pause(poll_ms);
  }
  throw new Error(`nobody listens at port ${port}`);
}
