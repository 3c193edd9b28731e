/**
 * Bytes on a socket, for requests that no proper client would send.
 */
import { connect } from "node:net";

const silence_ms_max = 60000;

/**
 * Sends the text as it is and answers everything the server says until it closes.
 * @param {number} port
 * @param {string|Buffer} text
 * @param {() => Promise<unknown>} [pause]  after which it is told that no more will come; by default it never is
 * @returns {Promise<{answer: string, closed: boolean}>}
 */
export function exchange(port, text, pause) {
  return new Promise((settle) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(text);
      void pause?.().then(() => socket.end());
    });
    let answer = "";
    const finish = (/** @type {boolean} */ closed) => {
      socket.destroy();
      settle({ answer, closed });
    };
    socket.setTimeout(silence_ms_max, () => finish(false));
    socket.on("data", (chunk) => { answer += chunk; });
    socket.on("error", () => finish(true));
    socket.on("close", () => finish(true));
  });
}

/** @param {string} answer */
export const statusOf = (answer) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
/** How many answers came. @param {string} answer */
export const countAnswers = (answer) => (answer.match(/HTTP\/1\.1 \d{3} /g) ?? []).length;
