import { quantise } from './units.ts';

/** Only zones that surged more than this on average are looked at. */
const worthLooking = 1.2;

export interface Inefficiency {
  readonly score: number;
  /** Whether the zone belongs into the ranking at all. */
  readonly counted: boolean;
}

/** High prices that still lose rides. `completionRatePercent` is 0 where there were no rides. */
export function inefficiency(averageMultiplier: number, completionRatePercent: number): Inefficiency {
  return {
    score: quantise(0.7 * averageMultiplier + 0.3 * (100 - completionRatePercent)),
    counted: averageMultiplier > worthLooking,
  };
}
