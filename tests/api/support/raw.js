/**
 * Bytes on a socket, for requests that no proper client would send.
 */
import { connect } from "node:net";

/**
 * Sends the text as it is and answers everything the server says until it closes or has said nothing for a while after
 * a whole answer.
 * @param {number} port
 * @param {string|Buffer} text
 * @returns {Promise<{answer: string, closed: boolean}>}
 */
export function exchange(port, text) {
  return new Promise((settle) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    const finish = (/** @type {boolean} */ closed) => {
      socket.destroy();
      settle({ answer, closed });
    };
    socket.setTimeout(1500, () => finish(false));
    socket.on("data", (chunk) => { answer += chunk; });
    socket.on("error", () => finish(true));
    socket.on("close", () => finish(true));
  });
}

/** @param {string} answer */
export const statusOf = (answer) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
/** How many answers came. @param {string} answer */
export const countAnswers = (answer) => (answer.match(/HTTP\/1\.1 \d{3} /g) ?? []).length;
