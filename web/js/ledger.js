/**
 * The claims as this machine was found to decide them, and the checks that are still to come. Pure.
 *
 * What is known of a check comes three ways: as the answer to having asked for it, as an event, and with the whole
 * ledger. They travel on different connections, so "queued" may arrive when "done" is long known, and an event may never
 * arrive. Hence a check only ever moves forward here, and whatever the whole ledger says is no longer pending is not.
 *
 * @typedef {import("./types.js").Claim} Claim
 * @typedef {import("./types.js").Check} Check
 *
 * @typedef {object} Ledger
 * @property {readonly Claim[]} claims
 * @property {ReadonlyMap<number, Check>} pending  by claim
 * @property {ReadonlyMap<number, number>} settled  the newest check that is over, by claim
 */

/** @type {Ledger} */
export const empty_ledger = { claims: [], pending: new Map(), settled: new Map() };

const steps = ["queued", "running", "done"];
/** @param {Check} check */
const stepOf = ({ state }) => (steps.includes(state) ? steps.indexOf(state) : steps.length - 1);
/** @param {Check} check */
const isOver = (check) => stepOf(check) === steps.length - 1;

/**
 * @param {Ledger} ledger
 * @param {Check} check
 * @returns {Ledger}
 */
export function withCheck(ledger, check) {
  const { claims, pending, settled } = ledger;
  if (check.id <= (settled.get(check.claim) ?? 0)) return ledger;
  const known = pending.get(check.claim);
  if (known && (known.id > check.id || (known.id === check.id && stepOf(known) > stepOf(check)))) return ledger;
  if (!isOver(check)) return { ...ledger, pending: new Map(pending).set(check.claim, check) };
  const left = new Map(pending);
  left.delete(check.claim);
  return {
    // What was cancelled found nothing out, so what was found before it stands.
    claims: check.state === "cancelled" ? claims : claims.map((claim) => (claim.number === check.claim ? { ...claim, latest: check } : claim)),
    pending: left,
    settled: new Map(settled).set(check.claim, check.id),
  };
}

/**
 * The ledger as it was read, and what has been heard since it was asked for.
 * @param {readonly Claim[]} claims
 * @param {readonly Check[]} pending
 * @param {readonly Check[]} heard
 * @returns {Ledger}
 */
export function ledgerOf(claims, pending, heard) {
  const settled = new Map(claims.map(({ number, latest }) => [number, latest?.id ?? 0]));
  return [...pending, ...heard].reduce(withCheck, { claims, pending: new Map(), settled });
}
