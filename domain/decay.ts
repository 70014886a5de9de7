import { type Counts, negligible } from './counts.ts';

const demandKept = 0.9;
const supplyKept = 0.95;

/**
 * One decay period. Supply ages only when no observation refreshed it during the period.
 * Deliberately not rounded to whole numbers: one quiet driver must not become none at once.
 */
export function decay(counts: Counts, supplyRefreshed: boolean): Counts {
  return {
    supply: supplyRefreshed ? counts.supply : settled(counts.supply * supplyKept),
    demand: settled(counts.demand * demandKept),
  };
}

function settled(count: number): number {
  return count < negligible ? 0 : count;
}

/** What is left of demand that arrived evenly over `periods` periods, as a part of all of it. */
export function decayedShare(periods: number): number {
  return periods <= 1 ? 1 : (1 - demandKept ** periods) / (1 - demandKept) / periods;
}
