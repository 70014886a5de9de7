import { decayPeriodMs } from './config.ts';
import { negligible } from './counts.ts';
import type { DemandTrend } from './decision.ts';

/** Demand averaged over the last minutes and over the last half hour, both exponentially; carried unrounded. */
export interface DemandAverages {
  readonly short: number;
  readonly long: number;
}

export function startAverages(): DemandAverages {
  return { short: 0, long: 0 };
}

const shortMs = 5 * 60_000;
const longMs = 30 * 60_000;

/** Both averages after one more tick (one decay period) with this demand. */
export function updateAverages({ short, long }: DemandAverages, demand: number): DemandAverages {
  return { short: average(short, demand, shortMs), long: average(long, demand, longMs) };
}

export function demandTrend({ short, long }: DemandAverages): DemandTrend {
  if (Math.max(short, long) < negligible) return 'stable';
  if (short > 1.1 * long) return 'increasing';
  return short < 0.9 * long ? 'decreasing' : 'stable';
}

function average(before: number, demand: number, windowMs: number): number {
  return before + (1 - Math.exp(-decayPeriodMs / windowMs)) * (demand - before);
}
