/**
 * ipclab as its users have it: a server of its own, driven over REST.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { run } from "./process.js";

const terminal = ["done", "failed", "cancelled", "interrupted"];

/** @param {string} build  the directory of the programs */
export async function startServer(build) {
  const data = await mkdtemp(join(tmpdir(), "ipclab-bench-"));
  const program = join(build, "ipclab");
  const child = spawn(program, ["serve", "--port", "0", "--data", data, "--no-first-run"], { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit");
  const [first] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), exited]);
  const address = /(http:\/\/127\.0\.0\.1:\d+)\//.exec(String(first));
  if (!address) throw new Error(`the server did not start: ${first}`);
  return new Server(program, child, exited, data, address[1]);
}

export class Server {
  /** @type {Map<number, string>} */
  #states = new Map();
  #notice = () => {};

  /**
   * @param {string} program
   * @param {import("node:child_process").ChildProcess} child
   * @param {Promise<unknown>} exited
   * @param {string} data
   * @param {string} origin
   */
  constructor(program, child, exited, data, origin) {
    this.program = program;
    this.child = child;
    this.exited = exited;
    this.data = data;
    this.origin = origin;
    this.stopping = new AbortController();
    this.listening = this.#listen();
  }

  /** Run states arrive by themselves: asking for them would take CPU time from what is measured. */
  async #listen() {
    const answer = await fetch(`${this.origin}/api/v1/events?topics=runs`, { signal: this.stopping.signal });
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of /** @type {any} */ (answer.body)) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) this.#take(block);
    }
  }

  /** @param {string} block */
  #take(block) {
    const data = /^data: (.*)$/m.exec(block);
    if (!/^event: run$/m.test(block) || !data) return;
    const { id, state } = JSON.parse(data[1]);
    this.#states.set(id, state);
    this.#notice();
  }

  /** @param {string} path */
  async get(path) {
    const answer = await fetch(`${this.origin}/api/v1/${path}`);
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status}`);
    return answer.json();
  }

  /**
   * Takes an experiment and answers its run when that is over.
   * @param {object} experiment
   * @param {number} seconds
   */
  async take(experiment, seconds) {
    const answer = await fetch(`${this.origin}/api/v1/runs`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(experiment),
    });
    const body = await answer.json();
    if (answer.status !== 202) throw new Refusal(body.errors?.map((/** @type {any} */ error) => error.detail).join("; ") ?? body.detail);
    const deadline = Date.now() + seconds * 1000;
    while (!terminal.includes(this.#states.get(body.id) ?? "")) {
      if (Date.now() > deadline) throw new Error(`run ${body.id} is not over after ${seconds} s`);
      await this.#change(deadline);
    }
    return this.get(`runs/${body.id}`);
  }

  /** @param {number} deadline */
  async #change(deadline) {
    /** @type {NodeJS.Timeout|undefined} */
    let timer;
    await new Promise((settle) => {
      this.#notice = () => settle(undefined);
      timer = setTimeout(settle, deadline - Date.now());
    });
    clearTimeout(timer);
  }

  /** All trials of a run. @param {number} id */
  async trials(id) {
    const trials = [];
    for (let cursor = ""; ;) {
      const page = await this.get(`runs/${id}/trials?limit=200${cursor}`);
      trials.push(...page.trials);
      if (!page.next_cursor) return trials;
      cursor = `&cursor=${page.next_cursor}`;
    }
  }

  /** A copy of the archive, for `ipclab serve --data` with its directory. @param {string} path  …/ipclab.db */
  async keep(path) {
    await rm(path, { force: true });
    await run([this.program, "backup", path, "--data", this.data]);
  }

  async stop() {
    this.stopping.abort();
    await this.listening.catch(() => {});
    this.child.kill("SIGTERM");
    await this.exited;
    await rm(this.data, { recursive: true, force: true });
  }
}

/** The experiment is not one this machine takes; the message says why. */
export class Refusal extends Error {}
