/**
 * What was tried where a target has been missed, for the report to say beside it: cells by name, and the words.
 */

/** @type {[RegExp, string][]} */
const tried = [
  [/^two_block\//, "The calls and switches are the raw loop's, and there is nothing between them left to take away: trials of one mechanism spread by 12 to 14 % here (standard deviation within a run), so that a ratio of fifteen samples each is known to about a tenth."],
  [/^two_poll\/eventfd$/, "Tried: 2, 4 and 64 slots (1.02 to 1.06), saying what was taken every quarter of a lane instead of at each message, not reading the sender's count where the kernel's says as much, no pause between polls (1.10 before). Left is a lane with a head and a tail, which the raw loop's bare message does not have."],
  [/^stream_64\//, "One engine runs under all five names, so what one of them misses and the others meet is the spread of trials."],
  [/^stream_65000\/tcp$/, "Tried: Nagle's algorithm and TCP_NODELAY, 20 trials each: equal at 65,000 B, Nagle 8 % faster at 32,000 B, TCP_NODELAY 8 % faster at 40,000 B, where a segment takes only one message; a cork, which stalled for 200 ms now and then."],
];

/** Nothing, where nothing is known. @param {import("./cells.js").Cell} cell */
export function triedText({ group, mechanism }) {
  const found = tried.find(([cells]) => cells.test(`${group.name}/${mechanism}`));
  return found ? ` ${found[1]}` : "";
}
