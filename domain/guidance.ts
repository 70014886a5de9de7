import type { Counts } from './counts.ts';
import { type Hundredths, quantise } from './units.ts';

export const tripsPerHour = 2;
export const driverShare = 0.75;

/** What an average ride costs before surge, in major units, where a market has not said. */
export const defaultAverageBaseFare = 14.44;

export interface EarningsInput extends Counts {
  readonly multiplier: Hundredths;
  /** Whole minor units. */
  readonly averageBaseFareMinor: number;
}

/** What a driver may expect to earn in an hour here, whole minor units, half up. */
export function estimatedEarningsPerHour(input: EarningsInput): number {
  const { supply, demand, multiplier, averageBaseFareMinor } = input;
  const full = (averageBaseFareMinor * multiplier * tripsPerHour * driverShare) / 100;
  return Math.floor(quantise(full * Math.min(1, demand / Math.max(supply, 1))) + 0.5);
}

export type DemandLevel = 'low' | 'moderate' | 'high' | 'extreme';

/** Colour is never the only sign: it always goes with the word. */
const colours: Readonly<Record<DemandLevel, string>> = {
  low: '#51cf66',
  moderate: '#ffd43b',
  high: '#ff6b6b',
  extreme: '#c92a2a',
};

export function demandLevel(multiplier: Hundredths): DemandLevel {
  if (multiplier < 110) return 'low';
  if (multiplier < 130) return 'moderate';
  return multiplier < 200 ? 'high' : 'extreme';
}

export function demandColour(level: DemandLevel): string {
  return colours[level];
}
