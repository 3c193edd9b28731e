/**
 * Other people's benchmarks, as Debian packages them: which cell each is a peer of, its exact command, and its figure in
 * our units (nanoseconds a round trip, bytes a second).
 *
 * $PORT stands for a free port. A program that does not place its processes gets them pinned after it started them.
 */
import { freePort, listening, pinChildren, run, start } from "./process.js";

/**
 * @typedef {{name: string, cell: string, command: string[], server?: string[], protocol?: "tcp"|"udp", children?: number[],
 *   parse: (output: string) => number, note?: string}} Peer
 */

/** @param {string} output @param {RegExp} pattern */
function number(output, pattern) {
  const found = pattern.exec(output);
  if (!found || !(Number(found[1]) > 0)) throw new Error(`no figure in its output: ${output.trim().split("\n").slice(-1)[0].slice(0, 120)}`);
  return Number(found[1]);
}

const mib = 1048576;
const cpu = (/** @type {number} */ which, /** @type {string} */ command) => ["taskset", "-c", String(which), ...command.split(" ")];
const perf_pipe = (/** @type {string} */ output) => 1000 * number(output, /([\d.]+) usecs\/op/);

/** @type {Peer[]} */
const pipes = [
  { name: "perf bench sched pipe", cell: "two_block/pipe", command: cpu(0, "perf bench sched pipe -l 20000"), children: [1], parse: perf_pipe, note: "4 B messages, mean" },
  { name: "perf bench sched pipe", cell: "one_block/pipe", command: cpu(0, "perf bench sched pipe -l 40000"), parse: perf_pipe, note: "4 B messages, mean" },
  {
    name: "stress-ng --pipe",
    cell: "stream_4k/pipe",
    command: "taskset -c 0,1 stress-ng --pipe 1 --pipe-data-size 4096 -t 1 --metrics-brief".split(" "),
    parse: (output) => 1e6 * number(output, /([\d.]+) MB per sec pipe write rate/),
    note: "placed by the scheduler; counts what was written",
  },
];

/** One sender, one receiver: hackbench starts the receiver first. */
const hackbench_sizes = { stream_64: [64, 200000], stream_4k: [4096, 100000], stream_64k: [65536, 10000], stream_1m: [1048576, 600] };
const hackbench_kinds = { pipe: ["-p"], unix_stream: [], tcp: ["-i"] };
/** @type {Peer[]} */
const hackbench = Object.entries(hackbench_sizes).flatMap(([group, [bytes, count]]) =>
  Object.entries(hackbench_kinds).map(([mechanism, kind]) => ({
    name: "hackbench",
    cell: `${group}/${mechanism}`,
    command: cpu(0, ["hackbench", ...kind, `-g 1 -f 1 -l ${count} -s ${bytes}`].join(" ")),
    children: [1, 0],
    parse: (/** @type {string} */ output) => (bytes * count) / number(output, /Time: ([\d.]+)/),
  })));

/** @param {string} group @param {"tcp"|"udp"} protocol @param {number} server_cpu @param {string} [polling] @returns {Peer} */
function sockperfRoundTrip(group, protocol, server_cpu, polling = "") {
  const tcp = protocol === "tcp" ? " --tcp" : "";
  return {
    name: "sockperf ping-pong",
    cell: `${group}/${protocol}`,
    server: cpu(server_cpu, `sockperf sr -i 127.0.0.1 -p $PORT${tcp}${polling}`),
    protocol,
    command: cpu(0, `sockperf pp -i 127.0.0.1 -p $PORT${tcp} -m 64 -t 1 --full-rtt${polling}`),
    parse: (output) => 1000 * number(output, /percentile 50\.000 =\s*([\d.]+)/),
  };
}

/**
 * It counts what was sent, but what was sent arrives: counted at its receiver with strace, every byte of a second.
 * @param {string} group @param {number} bytes @returns {Peer}
 */
function sockperfStream(group, bytes) {
  return {
    name: "sockperf throughput",
    cell: `${group}/tcp`,
    server: cpu(1, "sockperf sr -i 127.0.0.1 -p $PORT --tcp"),
    protocol: "tcp",
    command: cpu(0, `sockperf tp -i 127.0.0.1 -p $PORT --tcp -m ${bytes} -t 1`),
    parse: (output) => mib * number(output, /BandWidth is ([\d.]+) MBps/),
    note: bytes === 65000 ? "its largest message, which goes into one segment where 64 KiB need two; counts what was sent" : "counts what was sent",
  };
}

/** @param {string} cell @param {string} test @param {number} server_cpu @param {string} size @param {(output: string) => number} parse @param {string} [note] @returns {Peer} */
function qperf(cell, test, server_cpu, size, parse, note) {
  return {
    name: `qperf ${test}`,
    cell,
    server: cpu(server_cpu, "qperf -lp $PORT"),
    protocol: "tcp",
    command: cpu(0, `qperf -lp $PORT -uu -t 1 127.0.0.1 -m ${size} ${test}`),
    parse,
    note,
  };
}

const qperf_latency = (/** @type {string} */ output) => 2 * number(output, /latency\s+=\s+(\d+) ns/);
const qperf_bandwidth = (/** @type {string} */ output) => number(output, /(?:recv_)?bw\s+=\s+(\d+) bytes\/sec/);
const qperf_received = (/** @type {string} */ output) => number(output, /recv_bw\s+=\s+(\d+) bytes\/sec/);

/** @param {string} group @param {string} size @returns {Peer} */
function iperf(group, size) {
  return {
    name: "iperf3",
    cell: `${group}/tcp`,
    server: cpu(1, "iperf3 -s -1 -B 127.0.0.1 -p $PORT"),
    protocol: "tcp",
    command: cpu(0, `iperf3 -c 127.0.0.1 -p $PORT -t 1 -l ${size} -J`),
    parse: (output) => JSON.parse(output.slice(output.indexOf("{"))).end.sum_received.bits_per_second / 8,
  };
}

/** @type {Peer[]} */
const network = [
  ...["tcp", "udp"].flatMap((name) => {
    const protocol = /** @type {"tcp"|"udp"} */ (name);
    return [
      sockperfRoundTrip("two_block", protocol, 1),
      sockperfRoundTrip("one_block", protocol, 0),
      sockperfRoundTrip("two_poll", protocol, 1, " --nonblocked"),
      qperf(`two_block/${protocol}`, `${protocol}_lat`, 1, "64", qperf_latency, "one way, doubled, mean"),
      qperf(`one_block/${protocol}`, `${protocol}_lat`, 0, "64", qperf_latency, "one way, doubled, mean"),
    ];
  }),
  sockperfStream("stream_64", 64),
  sockperfStream("stream_4k", 4096),
  sockperfStream("stream_65000", 65000),
  qperf("stream_4k/tcp", "tcp_bw", 1, "4K", qperf_bandwidth),
  qperf("stream_64k/tcp", "tcp_bw", 1, "64K", qperf_bandwidth),
  qperf("stream_1m/tcp", "tcp_bw", 1, "1M", qperf_bandwidth),
  qperf("stream_64/udp", "udp_bw", 1, "64", qperf_received, "received"),
  qperf("stream_4k/udp", "udp_bw", 1, "4K", qperf_received, "received"),
  iperf("stream_4k", "4K"),
  iperf("stream_64k", "64K"),
  iperf("stream_1m", "1M"),
];

/** @param {boolean} quick  one peer a cell is enough then */
export const peersOf = (quick) => [...pipes, ...hackbench, ...network].filter(({ name }) => !quick || !/qperf|iperf|stress/.test(name));

/**
 * Figures that stand beside ours and are no peers of a cell: they measure something else.
 * @type {(Peer & {unit: string})[]}
 */
export const context = [
  { name: "perf bench mem memcpy", cell: "", unit: "GB/s", command: cpu(0, "perf bench mem memcpy -s 1MB -l 2000 -f default"), parse: (output) => (number(output, /([\d.]+) GB\/sec/) * 1024 ** 3) / 1e9, note: "copies of 1 MiB, one CPU" },
  { name: "ptsematest", cell: "", unit: "µs", command: "taskset -c 0,1 ptsematest -t 1 -i 100 -l 3000 -q".split(" "), parse: (output) => number(output, /Avg\s+(\d+)/), note: "one wake by a pthread mutex, threads, average" },
  { name: "pmqtest", cell: "", unit: "µs", command: "taskset -c 0,1 pmqtest -t 1 -i 100 -l 3000 -q".split(" "), parse: (output) => number(output, /Avg\s+(\d+)/), note: "one wake by a POSIX queue, threads, average" },
];

/** @param {string[]} command @param {number} port */
const withPort = (command, port) => command.map((word) => word.replace("$PORT", String(port)));

/** A server that ends before it listens says why. @param {ReturnType<typeof start>} serving */
async function endOf({ ended, output }) {
  const failure = await ended;
  throw new Error(`its server ${failure ?? "ended"}: ${output().trim().split("\n").slice(-1)[0].slice(0, 200)}`);
}

/**
 * @param {Peer} peer
 * @returns {Promise<number>}
 */
export async function measurePeer({ command, server, protocol = "tcp", children, parse }) {
  const port = server ? await freePort() : 0;
  const serving = server ? start(withPort(server, port)) : null;
  try {
    if (serving) await Promise.race([listening(port, protocol), endOf(serving)]);
    const output = await run(withPort(command, port), {
      seconds: 20,
      started: children ? (pid) => pinChildren(pid, children) : undefined,
    });
    return parse(output);
  } finally {
    serving?.end();
    await serving?.ended;
  }
}
