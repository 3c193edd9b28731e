/**
 * Every lab with its defaults and with parameters that change what comes out, as root and as an ordinary user, in
 * namespaces and without. What the kernel guarantees is asserted; a race that did not show is tried again, and in the
 * end left open.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { describe, test } from "node:test";

import { catalogue, descriptorsOf, is_root, processesOf, startLab, takeLab, titleOf } from "./support.js";

/** @typedef {import("./support.js").Parameters} Parameters */
/** @typedef {import("./support.js").Ended} Ended */

const messages = JSON.parse(await readFile(new URL("../../web/messages/en.json", import.meta.url), "utf8"));
const labs = await catalogue();
const can_race = cpus().length > 1;
/** What a lab measures in pages of this machine. */
const page_bytes = Number(execFileSync("getconf", ["PAGESIZE"]));
const toPage = (/** @type {number} */ bytes) => Math.ceil(bytes / page_bytes) * page_bytes;
const at_once = { concurrency: 4 };

/**
 * What comes out of a lab: [parameters, outcome, explanation, evidence].
 * @type {{[lab: string]: [Parameters, unknown, string, {[field: string]: unknown}?][]}}
 */
const certain = {
  shm_alone: [
    [{}, "survives", "leaks", { size_bytes: 25600, mapped_bytes: toPage(25600), second_address: "0x5000000", attached_count: 0, text_left: "Hello, world." }],
    [{ remove: true }, "gone", "removed", { visitor_errno: "EINVAL", text_left: null }],
    [{ size_bytes: 1, address: "null" }, "survives", "leaks", { size_bytes: 1, mapped_bytes: page_bytes, text_left: "H" }],
  ],
  shm_server: [
    [{ poll_ms: 200 }, "within_one_poll", "polled", { client_errno: null, client_read: "abcdefghijklmnopqrstuvwxyz" }],
    [{ order: "client_first" }, "enoent", "enoent", { client_errno: "ENOENT" }],
  ],
  shm_keys: [
    [{}, "ENOENT", "enoent", { shmat_first_id: "ok", shmat: "–" }],
    [{ owner: "alive" }, "ok", "shared", { text_found: "the first was here" }],
    [{ owner: "alive", size: "larger" }, "EINVAL", "einval"],
    [{ owner: "alive", size: "smaller" }, "ok", "shared"],
    [{ owner: "alive", flags: "creat_excl" }, "EEXIST", "eexist"],
    [{ owner: "marked", flags: "creat" }, "ok", "another", { shmat_first_id: "ok", text_found: "" }],
    [{ owner: "marked", flags: "creat", size: "zero" }, "EINVAL", "einval_new"],
    [{ owner: "killed" }, "ok", "leaked", { text_found: "the first was here" }],
    [{ owner: "marked_killed" }, "ENOENT", "gone", { shmat_first_id: "EINVAL" }],
    [{ owner: "marked_killed", flags: "creat" }, "ok", "fresh", { text_found: "" }],
  ],
  lost_update: [
    [{ processes: 1 }, "exact", "alone", { races_with_loss: 0 }],
    [{ lock: "atomic" }, "exact", "atomic", { races_with_loss: 0 }],
    [{ lock: "semaphore", increments: 500 }, "exact", "semaphore", { races_with_loss: 0 }],
  ],
  torn_record: can_race
    ? [
        [{ record_bytes: 8 }, "never", "one_word", { torn: 0 }],
        [{ seqlock: true }, "never", "seqlock", { torn: 0 }],
      ]
    : [],
  mmap_doubled: [
    [{}, 30, "shared", { in_memory: 30, in_file_while_mapped: 30, behind_end_value: 0, next_page_is_sigbus: true }],
    [{ mapping: "private" }, 15, "private", { in_memory: 30, in_file_while_mapped: 15 }],
    [{ doublings: 3, file_bytes: 2 }, 12, "cut", { in_memory: 120 }],
    [{ doublings: 28, file_bytes: 64 }, -268435456, "overflow"],
    [{ doublings: 40, file_bytes: 64 }, 0, "overflow"],
    [{ offset_bytes: 1 }, null, "einval", { mmap_errno: "EINVAL", page_bytes }],
    [{ offset_bytes: page_bytes }, null, "sigbus", { mmap_errno: null }],
    [{ offset_bytes: page_bytes, file_bytes: 2 * page_bytes }, 15, "elsewhere", { in_memory: 0 }],
  ],
  pipe_stdio: [
    [{ interval_ms: 100 }, "one_by_one", "flushed", { lines: 5, bytes_kept_by_parent_stream: 0, bytes_kept_by_child_stream: 0 }],
    [{ interval_ms: 100, fflush: false }, "all_at_the_end", "kept_by_parent", { lines: 5, bytes_kept_by_parent_stream: 7 }],
    [{ interval_ms: 100, screen: "pipe" }, "all_at_the_end", "kept_by_child", { lines: 5, bytes_kept_by_parent_stream: 0, bytes_kept_by_child_stream: 7 }],
  ],
  pipe_gauge: [
    [{}, 16 * page_bytes, "exact", { slots: 16, writes_returned: 16, still_blocked_after_100_bytes: true }],
    [{ chunk_bytes: page_bytes + 1, delay_ms: 0 }, 11 * page_bytes + 10, "page_slots", { writes_returned: 10, bytes_of_blocked_write: page_bytes }],
    [{ chunk_bytes: page_bytes / 2 + 1, delay_ms: 0 }, 16 * (page_bytes / 2 + 1), "page_slots", { first_page_bytes: page_bytes / 2 + 1 }],
    [{ chunk_bytes: 1, capacity_bytes: page_bytes, delay_ms: 0 }, page_bytes, "exact", { slots: 1, writes_returned: page_bytes }],
    [{ chunk_bytes: 16 * page_bytes, capacity_bytes: page_bytes, delay_ms: 0 }, page_bytes, "one_write", { bytes_of_blocked_write: page_bytes }],
    [{ chunk_bytes: 16 * page_bytes, capacity_bytes: 1048576, delay_ms: 0 }, 1048576, "exact", { slots: 1048576 / page_bytes }],
  ],
  pipe_ends: [
    [{}, "eof", "eof", { read_returned: 0, who_stayed: "reader" }],
    [{ by: "sigkill" }, "eof", "eof", { read_returned: 0 }],
    [{ forgotten: "write_end_in_reader" }, "hangs", "hangs_reading", { asleep: true }],
    [{ leaves: "reader" }, "sigpipe", "sigpipe", { who_stayed: "writer", bytes_written: 0 }],
    [{ leaves: "reader", sigpipe: "ignored", by: "sigkill" }, "epipe", "epipe", { write_errno: "EPIPE" }],
    [{ leaves: "reader", forgotten: "read_end_in_writer" }, "hangs", "hangs_writing", { asleep: true, bytes_written: 65536 }],
  ],
  fifo_session: [
    [{}, "other_side", "other_side", { first: "writer", reads: 3, bytes_read: 26, reader_saw_end: true }],
    [{ order: "reader_first" }, "other_side", "other_side", { first: "reader" }],
    [{ flags: "nonblock" }, "enxio", "enxio", { open_errno: "ENXIO" }],
    [{ flags: "nonblock", order: "reader_first" }, "at_once", "early_end", { reads: 0 }],
    [{ flags: "rdwr", order: "reader_first" }, "at_once", "own_writer", { reader_saw_end: false, bytes_read: 26 }],
  ],
  fifo_atomicity: [
    [{ message_bytes: 4096 }, "none", "atomic", { pipe_buf_bytes: 4096, messages: 600, torn: 0 }],
    [{ message_bytes: 64, read_bytes: 100 }, "none", "atomic", { torn: 0 }],
    [{ writers: 1 }, "none", "alone", { torn: 0 }],
  ],
  socket_echo: [
    [{}, 1, "joined", { writes: 2, first_read_bytes: 6 }],
    [{ writes: 1, buffer_bytes: 2 }, 3, "split", { received_bytes: 6 }],
    [{ family: "unix", type: "dgram" }, 2, "messages", { first_read_bytes: 3 }],
    [{ type: "dgram", buffer_bytes: 2 }, 2, "cut", { lost_bytes: 2 }],
    [{ type: "dgram", bytes: 65536, writes: 1, buffer_bytes: 65536 }, 0, "too_long", { send_errno: "EMSGSIZE" }],
    [{ echo: "strlen" }, 1, "strlen", { echoed_bytes: 3 }],
    [{ type: "dgram", writes: 1, buffer_bytes: 2, echo: "strlen" }, 1, "cut", { received_bytes: 2, echoed_bytes: 2 }],
  ],
  backlog: [
    [{}, "later", "later", { connected_at_once: 2, connected_later: 4, queue_longest: 2, third_state: "SYN_SENT" }],
    [{ backlog: 5 }, "at_once", "at_once", { connected_at_once: 6, queue_longest: 6, accepted: 6 }],
    [{ family: "unix" }, "try_again", "try_again", { connected_at_once: 2, told_off: 4, third_state: "EAGAIN" }],
  ],
  raw_get: [
    [{}, "page_alone", "page_alone", { first_line: "<h1>It works</h1>" }],
    [{ request: "http_1_0" }, "headers_and_page", "headers_and_page", { first_line: "HTTP/1.1 200 OK" }],
    [{ request: "no_host" }, "error", "error"],
    [{ request: "typed" }, "headers_and_page", "headers_and_page", { request_bytes: 28 }],
    [{ request: "typed", typed: "GET /\\r\\n" }, "page_alone", "page_alone", { request_bytes: 7 }],
    [{ request: "typed", typed: "PUT / HTTP/1.1\\n\\x\\\\\\r\\n\\r\\n" }, "error", "error", { request_bytes: 22 }],
    [{ request: "no_end" }, "nothing", "nothing", { answer_bytes: 0, server_gave_up: true }],
  ],
  reach: [
    [{}, "refused", "no_descriptor", { answer: "EBADF", pipe_sent: "joins", joined: 7 }],
    [{ relation: "child", namespace: "mount" }, "joins", "inherited", { fifo: "ENOENT", shm_sysv: "joins", unix_path: "ENOENT" }],
    [{ relation: "sibling", namespace: "net", mechanism: "unix_abstract" }, "refused", "other_net", { unix_path: "joins", answer: "ECONNREFUSED" }],
    [{ namespace: "ipc", mechanism: "shm_sysv" }, "refused", "other_ipc", { answer: "ENOENT", tcp: "joins" }],
    [{ mechanism: "pipe_sent" }, "joins", "sent"],
  ],
};

/** Each value is allowed, but not all of them together. @type {[string, Parameters, string, string][]} */
const conflicts = [
  ["lost_update", { gap: "yield" }, "increments", "must be 1 to 10000 while gap is yield, got 200000"],
  ["lost_update", { lock: "semaphore", increments: 10001 }, "increments", "must be 1 to 10000 while lock is semaphore, got 10001"],
  ["fastest", { placement: "same_cpu", wait: "spin" }, "wait", "must be futex or semaphore while placement is same_cpu, got spin"],
  ["pipe_stdio", { lines: 20, interval_ms: 401 }, "interval_ms", "must be 0 to 400 while lines is 20, got 401"],
  ["socket_echo", { bytes: 1, writes: 2 }, "writes", "must be 1 to 1 while bytes is 1, got 2"],
  ["socket_echo", { bytes: 65, writes: 1, buffer_bytes: 1 }, "buffer_bytes", "must be 2 to 65536 while bytes is 65, got 1"],
  ["torn_record", { record_bytes: 12 }, "record_bytes", "must be a multiple of 8 from 8 to 4096, got 12"],
];

/** What may happen and usually does. @type {[string, Parameters, unknown, string][]} */
const likely = [
  ["fifo_atomicity", {}, "some", "torn"],
  ["fifo_atomicity", { message_bytes: 60000 }, "some", "torn"],
  ["lost_update", { cpus: 1, gap: "yield", increments: 2000 }, "fewer", "lost_one_cpu"],
  ...(can_race
    ? /** @type {[string, Parameters, unknown, string][]} */ ([
        ["lost_update", {}, "fewer", "lost"],
        ["torn_record", {}, "sometimes", "torn"],
        ["torn_record", { record_bytes: 8, alignment: "across_lines" }, "sometimes", "torn_word"],
      ])
    : []),
];
const tries = 4;

/** @param {string} name @param {Ended} ended */
function expectWhole(name, { status, lines, result, stderr }) {
  assert.equal(status, 0, `${name}: ${stderr}`);
  assert.ok(result, `${name}: ${stderr}`);
  const lab = labs.find((one) => one.name === name);
  const calls = lines.filter((line) => line.type === "call");
  assert.equal(new Set(calls.map((one) => one.number)).size, calls.length, "numbers are given once");
  const workers = lines.filter((line) => line.type === "worker").map((line) => line.worker);
  for (const line of lines.filter((one) => one.worker)) assert.ok(workers.includes(line.worker), line.worker);
  for (const { panel } of lines.filter((line) => line.type === "panel")) assert.ok(lab.panels.includes(panel), panel);
  for (const { number, end_ns } of lines.filter((line) => line.type === "return")) {
    const begun = calls.find((one) => one.number === number);
    assert.ok(begun.begin_ns <= end_ns, `call ${number}`);
  }
  assert.deepEqual(result.claims, lab.claims);
}

/** Every word the page needs for this result is there. @param {string} name @param {any} result */
function expectWords(name, result) {
  if (result.skipped) return assert.ok(messages.labs[name].skips[result.skipped.what], result.skipped.what);
  for (const field of Object.keys(result.evidence)) assert.ok(messages.evidence[field], `${name} names ${field}`);
  const text = messages.labs[name].explanations[result.explanation] ?? messages.labs.any.explanations[result.explanation];
  assert.ok(text, `${name} explains ${result.explanation}`);
  for (const [, field] of text.matchAll(/\{(\w+)\}/g)) assert.ok(field in result.evidence, `${name}: {${field}}`);
  const { prediction } = labs.find((one) => one.name === name);
  if (prediction.type === "choice") assert.ok(prediction.choices.includes(result.outcome), `${name}: ${result.outcome}`);
}

/** @param {string} name @param {Ended} ended @param {unknown} outcome @param {string} explanation @param {object} [evidence] */
function expectResult(name, ended, outcome, explanation, evidence = {}) {
  expectWhole(name, ended);
  const { result } = ended;
  const found = Object.fromEntries(Object.keys(evidence).map((field) => [field, result.evidence[field]]));
  assert.deepEqual({ outcome: result.outcome, explanation: result.explanation, ...found }, { outcome, explanation, ...evidence });
  if (outcome !== null) expectWords(name, result);
}

/** @param {import("./support.js").Options} options @param {(cases: any[]) => any[]} choose */
function describeLabs(options, choose) {
  for (const [name, cases] of Object.entries(certain))
    for (const [parameters, outcome, explanation, evidence] of choose(cases))
      test(`${name} ${JSON.stringify(parameters)}`, async () => {
        expectResult(name, await takeLab(name, parameters, options), outcome, explanation, evidence);
      });
}

/** What its two workers and those above them have open while one is blocked; null if it was over too soon. */
async function lookAtBlockedGauge() {
  const lab = startLab("pipe_gauge", { delay_ms: 2000 });
  try {
    await lab.seen((line) => line.type === "state" && line.worker === "writer" && line.state === "blocked");
    const { program, keeper, leader, workers } = await processesOf(/** @type {number} */ (lab.child.pid));
    return workers.length === 2 ? await Promise.all([...workers, program, keeper, leader].map(descriptorsOf)) : null;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return null;
    throw error;
  } finally {
    lab.child.stdin.end();
    await lab.ended;
  }
}

describe("labs", at_once, () => {
  describeLabs({}, (cases) => cases);

  for (const [name, parameters, outcome, explanation] of likely)
    test(`${name} ${JSON.stringify(parameters)}, a race`, async (t) => {
      for (let i = 0; i < tries; i++) {
        const ended = await takeLab(name, parameters);
        expectWhole(name, ended);
        expectWords(name, ended.result);
        if (ended.result.outcome === outcome) return assert.equal(ended.result.explanation, explanation);
      }
      t.skip(`did not show in ${tries} runs`);
    });

  test("fastest ranks all of them by what is asked for", async () => {
    for (const measure of ["round_trip", "stream"]) {
      const ended = await takeLab("fastest", { measure, wait: "futex" });
      expectWhole("fastest", ended);
      expectWords("fastest", ended.result);
      const [{ data }] = ended.lines.filter((line) => line.panel === "ranking").slice(-1);
      assert.equal(data.rows.length, 6);
      for (const row of data.rows) assert.ok(row.p50_ns > 0 && row.p99_ns >= row.p50_ns && row.bytes_per_s > 0, row.mechanism);
      const order = data.rows.map((/** @type {any} */ row) => (measure === "stream" ? -row.bytes_per_s : row.p50_ns));
      assert.deepEqual(order, [...order].sort((a, b) => a - b));
      assert.equal(ended.result.evidence.fastest, await titleOf(data.rows[0].mechanism));
    }
  });

  test("a call that blocks is told while it blocks", async () => {
    const { lines } = await takeLab("pipe_gauge");
    const told = lines.findIndex((line) => line.type === "state" && line.worker === "writer" && line.state === "blocked");
    const open = lines.slice(0, told).filter((line) => line.type === "call" && line.worker === "writer").at(-1);
    assert.equal(open.call, "write");
    const returned = lines.findIndex((line) => line.type === "return" && line.number === open.number);
    assert.equal(lines[returned].returned, page_bytes);
    assert.ok(told < returned, "before it returned");
  });

  test("nobody but the workers holds an end of the pipe", async () => {
    /** @type {string[][]|null} */
    let open = null;
    for (let i = 0; i < 20 && !open; i++) open = await lookAtBlockedGauge();
    assert.ok(open, "it was over each time");
    const [writer, reader, ...others] = open;
    const pipes = writer.filter((name) => name.startsWith("pipe:") && reader.includes(name));
    assert.equal(pipes.length, 1, `${open}`);
    for (const names of others) assert.ok(!names.includes(pipes[0]), `${open}`);
  });

  test("more calls than the ring holds are counted", async () => {
    const { result, lines } = await takeLab("pipe_gauge", { chunk_bytes: 1, delay_ms: 0 });
    const told = lines.filter((line) => line.type === "call" && line.worker === "writer" && line.call === "write").length;
    assert.ok(result.dropped_calls > 0 && told < result.outcome, `${told} told, ${result.dropped_calls} dropped`);
    assert.equal(result.outcome, 16 * page_bytes);
  });

  test("what is typed travels through the FIFO", async () => {
    const lab = startLab("fifo_session", { typing: "live" });
    await lab.seen((line) => line.panel === "terminals" && line.data.writer.state === "read");
    lab.say({ terminal: "writer", text: "typed here\n" });
    await lab.seen((line) => line.panel === "terminals" && line.data.reader.text.includes("typed here"));
    lab.say({ terminal: "writer", eof: true });
    expectResult("fifo_session", await lab.ended, "other_side", "other_side", { bytes_read: 11, reader_saw_end: true });
  });

  test("bad parameters are refused with what is allowed", async () => {
    for (const lab of labs) {
      const wrong = lab.parameters.flatMap((/** @type {any} */ one) => {
        if (one.type === "choice") return [[one, "no such", one.choices.join(", ")]];
        if (one.type === "boolean") return [[one, 1, "true or false"]];
        if (one.type === "text") return ["", "x".repeat(one.max + 1), "\u00e9", "a\tb", 7].map((value) => [one, value, `${one.min} to ${one.max}`]);
        return [one.min - 1, one.max + 1, 1.5, "1"].map((value) => [one, value, `${one.min} to ${one.max}`]);
      });
      for (const [parameter, value, allowed] of wrong.slice(0, 6)) {
        const { status, lines } = await takeLab(lab.name, { [parameter.name]: value });
        assert.equal(status, 2);
        assert.deepEqual(lines.map((line) => line.type), ["refused"]);
        assert.equal(lines[0].errors[0].pointer, `/parameters/${parameter.name}`);
        assert.ok(lines[0].errors[0].detail.includes(allowed), lines[0].errors[0].detail);
      }
    }
    const { lines } = await takeLab("pipe_gauge", { chunk: 1 });
    assert.equal(lines[0].errors[0].pointer, "/parameters/chunk");
    for (const [name, parameters, pointer, detail] of conflicts) {
      const { status, lines: [refused] } = await takeLab(name, parameters);
      assert.deepEqual([status, refused.errors], [2, [{ pointer: `/parameters/${pointer}`, detail }]], name);
    }
  });

  test("there is a word for everything that a student reads", () => {
    for (const lab of labs) {
      const texts = messages.labs[lab.name];
      for (const key of ["title", "question", "teaches"]) assert.ok(texts[key], `${lab.name} ${key}`);
      assert.ok(texts.next.length > 0);
      for (const { name, choices } of lab.parameters) {
        assert.ok(texts.parameters[name].title, `${lab.name} ${name}`);
        for (const choice of choices ?? []) assert.ok(texts.parameters[name].choices[choice], `${lab.name} ${choice}`);
      }
      assert.ok(texts.prediction.title);
      for (const choice of lab.prediction.choices ?? []) assert.ok(texts.prediction.choices[choice], `${lab.name} ${choice}`);
    }
    assert.deepEqual(labs.map((one) => one.number), Array.from({ length: 16 }, (_, i) => i + 1));
  });
});

describe("labs without namespaces", at_once, () => {
  describeLabs({ uncaged: true }, (cases) => cases.slice(0, 1));
});

describe("labs of an ordinary user", { ...at_once, skip: !is_root && "this is one" }, () => {
  describeLabs({ as_nobody: true }, (cases) => cases.slice(0, 2));

  test("another user takes root, and the lab says so", async () => {
    const { status, result } = await takeLab("shm_keys", { user: "other" }, { as_nobody: true });
    assert.equal(status, 0);
    assert.equal(result.skipped.call, "setresuid");
    assert.ok(["EPERM", "EINVAL"].includes(result.skipped.errno), result.skipped.errno);
    expectWords("shm_keys", result);
  });

  test("namespaces take a privilege, and the lab says so", async () => {
    const { status, result } = await takeLab("reach", { namespace: "net" }, { as_nobody: true, uncaged: true });
    assert.equal(status, 0);
    assert.deepEqual(result.skipped, { call: "unshare", errno: "EPERM", what: "namespaces" });
  });
});

describe("labs of root", { ...at_once, skip: !is_root && "this is an ordinary user" }, () => {
  /** @type {[Parameters, unknown, string, object][]} */
  const cases = [
    [{ owner: "alive", user: "other" }, "EACCES", "eacces", { shmat_first_id: "EACCES", ipc_rmid: "EPERM" }],
    [{ owner: "alive", user: "other", flags: "none" }, "ok", "no_attach", { shmat: "EACCES" }],
    [{ owner: "marked", user: "other" }, "ENOENT", "enoent_barred", { shmat_first_id: "EACCES", ipc_rmid: "EPERM" }],
    [{ owner: "marked", user: "other", flags: "creat" }, "ok", "another_barred", { shmat_first_id: "EACCES" }],
    [{ owner: "marked_killed", user: "other" }, "ENOENT", "gone", { shmat_first_id: "EINVAL" }],
  ];
  for (const [parameters, outcome, explanation, evidence] of cases)
    test(`shm_keys ${JSON.stringify(parameters)}`, async () => {
      expectResult("shm_keys", await takeLab("shm_keys", parameters), outcome, explanation, evidence);
    });
});
