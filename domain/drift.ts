import { decayPeriodMs, priceTtlMs } from './config.ts';
import type { BoardEntry } from './decision.ts';
import { fromHundredths, type Hundredths, quantise, toHundredths } from './units.ts';

/** A stale price on its way to the floor, `periods` steps of the gradual limit; at or under the floor it stays. */
export function drift(multiplier: number, periods: number, floor: number, maxChange: number): number {
  if (maxChange <= 0) return quantise(multiplier);
  let current = multiplier;
  for (let step = 0; step < periods && current > floor; step += 1) {
    current = Math.max(floor, current * (1 - maxChange));
  }
  return quantise(current);
}

/** Whole decay periods that a price of `asOfMs` has outlived its validity. */
export function periodsBeyondTtl(asOfMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - asOfMs - priceTtlMs) / decayPeriodMs));
}

export type DriftingPrice = Pick<BoardEntry, 'multiplier' | 'floor' | 'maxChangePerPeriod' | 'asOfMs'>;

/** What a board entry is worth now: the same in every process that reads it at the same moment. */
export function driftedPrice(entry: DriftingPrice, nowMs: number): Hundredths {
  const periods = periodsBeyondTtl(entry.asOfMs, nowMs);
  return toHundredths(
    drift(fromHundredths(entry.multiplier), periods, fromHundredths(entry.floor), entry.maxChangePerPeriod),
  );
}
