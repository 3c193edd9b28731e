/**
 * Which claims decide what the matrix says of a mechanism: who may join, which way data goes, how many take part, and
 * whether it waits. And the order and the filters of the ledger. Pure.
 */

/** @typedef {import("./types.js").Claim} Claim */

/** As the claims name what they prove; the first four are columns of the matrix. */
export const criteria = ["reach", "direction", "count", "synchronises", "boundaries", "persists"];

/** @param {string} mechanism @param {string} criterion */
const keyOf = (mechanism, criterion) => `${mechanism} ${criterion}`;

/**
 * Addresses of the claims behind each cell of the matrix that has any.
 * @param {readonly Pick<Claim, "number"|"mechanism"|"also"|"criteria">[]} claims
 * @returns {{hrefOf: (mechanism: string, criterion: string) => string|null}}
 */
export function proofsOf(claims) {
  /** @type {Map<string, number[]>} */
  const numbers = new Map();
  for (const { number, mechanism, also, criteria: proved } of claims)
    for (const key of [mechanism, ...also].flatMap((one) => proved.map((criterion) => keyOf(one, criterion))))
      numbers.set(key, [...(numbers.get(key) ?? []), number]);
  return {
    hrefOf(mechanism, criterion) {
      const found = numbers.get(keyOf(mechanism, criterion)) ?? [];
      if (found.length === 0) return null;
      if (found.length === 1) return `/claims/${found[0]}`;
      return `/claims?mechanism=${mechanism}&criterion=${criterion}`;
    },
  };
}

/** The order of the course; what it does not name comes after it. @type {Record<string, number>} */
const order = { shm_sysv: 0, mmap_file: 1, pipe: 2, fifo: 3, socket: 4, unix_stream: 5, unix_dgram: 6, tcp: 7, udp: 8 };

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
  const names = ["verdict", "mechanism", "criterion", "q"];
  const [verdict, mechanism, criterion, words] = names.map((name) => query.get(name) ?? "");
  const sought = words.toLowerCase().split(/\s+/).filter(Boolean);
  return claims.filter((claim) => {
    const text = `${claim.number} ${claim.text} ${claim.experiment} ${claim.mechanism}`.toLowerCase();
    return (
      (!verdict || verdictOf(claim) === verdict) &&
      (!mechanism || claim.mechanism === mechanism || claim.also.includes(mechanism)) &&
      (!criterion || claim.criteria.includes(criterion)) &&
      sought.every((word) => text.includes(word))
    );
  });
}
