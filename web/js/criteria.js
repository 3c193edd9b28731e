/**
 * Which claims decide what the matrix says of a mechanism: who may join, which way data goes, how many take part, and
 * whether it waits. And the order and filters of the ledger. Pure.
 */

/**
 * @typedef {import("./types.js").Claim} Claim
 * @typedef {"reach"|"direction"|"ends"|"waits"} Criterion
 */

/** @type {readonly Criterion[]} */
export const criteria = ["reach", "direction", "ends", "waits"];

/** @type {Record<string, Record<Criterion, number[]>>} */
const proofs = {
  shm_sysv: { reach: [12, 18, 20], direction: [1, 13], ends: [11, 15, 22], waits: [3, 8, 9] },
  mmap_file: { reach: [24, 26], direction: [24, 25], ends: [24, 26], waits: [32] },
  pipe: { reach: [41, 42, 44], direction: [34, 35, 40], ends: [39, 57], waits: [38, 39] },
  fifo: { reach: [47, 48], direction: [51, 53], ends: [55, 56], waits: [53] },
  unix_stream: { reach: [58, 61], direction: [58], ends: [67, 68], waits: [64, 66] },
  unix_dgram: { reach: [58, 61], direction: [58], ends: [], waits: [63] },
  tcp: { reach: [58], direction: [58], ends: [67, 68], waits: [64, 66] },
  udp: { reach: [58], direction: [58], ends: [], waits: [63] },
};

/**
 * @param {string} mechanism
 * @param {string} criterion
 * @returns {readonly number[]}
 */
export const proofsOf = (mechanism, criterion) => proofs[mechanism]?.[/** @type {Criterion} */ (criterion)] ?? [];

/**
 * The address of the claims that prove a criterion.
 * @param {string} mechanism
 * @param {Criterion} criterion
 */
export function proofHref(mechanism, criterion) {
  const numbers = proofsOf(mechanism, criterion);
  if (numbers.length === 0) return null;
  return numbers.length === 1 ? `/claims/${numbers[0]}` : `/claims?of=${mechanism}&criterion=${criterion}`;
}

/** @type {Record<string, number>} */
const order = { shm_sysv: 0, mmap_file: 1, pipe: 2, fifo: 3, socket: 4 };

/**
 * @param {readonly Claim[]} claims
 * @returns {{mechanism: string, claims: Claim[]}[]}  in the order of the course
 */
export function groupClaims(claims) {
  /** @type {Map<string, Claim[]>} */
  const groups = new Map();
  for (const claim of [...claims].sort((a, b) => a.number - b.number))
    groups.set(claim.mechanism, [...(groups.get(claim.mechanism) ?? []), claim]);
  return [...groups]
    .map(([mechanism, list]) => ({ mechanism, claims: list }))
    .sort((a, b) => (order[a.mechanism] ?? 99) - (order[b.mechanism] ?? 99));
}

/** @param {Claim} claim @returns {string} */
export const verdictOf = ({ latest }) => latest?.verdict ?? "unchecked";

/**
 * What an address asks to see of the ledger.
 * @param {readonly Claim[]} claims
 * @param {URLSearchParams} query
 */
export function filterClaims(claims, query) {
  const [verdict, mechanism, words] = ["verdict", "mechanism", "q"].map((name) => query.get(name) ?? "");
  const [of, criterion] = [query.get("of") ?? "", query.get("criterion") ?? ""];
  const numbers = of && criterion ? proofsOf(of, criterion) : null;
  const sought = words.toLowerCase().split(/\s+/).filter(Boolean);
  return claims.filter((claim) => {
    const text = `${claim.number} ${claim.text} ${claim.experiment} ${claim.mechanism}`.toLowerCase();
    return (
      (!verdict || verdictOf(claim) === verdict) &&
      (!mechanism || claim.mechanism === mechanism) &&
      (!numbers || numbers.includes(claim.number)) &&
      sought.every((word) => text.includes(word))
    );
  });
}
