import type { Fare } from './fare.ts';

/** One line of a fare; the amounts of all lines add up to the final fare. */
export interface FarePart {
  readonly part: string;
  /** Whole minor units, negative for a discount. */
  readonly amountMinor: number;
  readonly kind: 'default' | 'surge' | 'discount';
}

/** The base fare, and what the multiplier adds or takes away; a multiplier of 1 has no line of its own. */
export function fareBreakdown({ baseFareMinor, finalFareMinor }: Fare): FarePart[] {
  const parts: FarePart[] = [{ part: 'base_fare', amountMinor: baseFareMinor, kind: 'default' }];
  const difference = finalFareMinor - baseFareMinor;
  if (difference > 0) parts.push({ part: 'surge', amountMinor: difference, kind: 'surge' });
  if (difference < 0) parts.push({ part: 'low_demand', amountMinor: difference, kind: 'discount' });
  return parts;
}
