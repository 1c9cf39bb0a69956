/** Waiting times between tries: doubling from one second, at most fifteen, spread by up to a fifth. */

const FIRST_MS = 1_000;
const LONGEST_MS = 15_000;

/** ``attempt`` counts from 0; ``random`` is 0..1, so that many pages do not come back in the same instant. */
export function backoffMs(attempt: number, random: number = Math.random()): number {
  const base = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return Math.round(base * (1 + 0.2 * random));
}
