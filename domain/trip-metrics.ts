import { quantise } from './units.ts';

/** An average that knows how many trips it stands for. */
export interface TripAverage {
  readonly tripCount: number;
  readonly avgDurationS: number;
}

/** Two windows as one; each trip weighs the same. Windows without trips say nothing. */
export function mergeAverages(a: TripAverage, b: TripAverage): TripAverage {
  const tripCount = a.tripCount + b.tripCount;
  if (tripCount === 0) return { tripCount, avgDurationS: 0 };
  const total = a.avgDurationS * a.tripCount + b.avgDurationS * b.tripCount;
  return { tripCount, avgDurationS: quantise(total / tripCount) };
}
