/** How fast the adaptive factor follows its target, per tick. */
const learningRate = 0.1;

/**
 * Fewer finished rides than this in `completionWindowMs` say nothing about a zone.
 * @public
 */
export const fewestFinishedRides = 20;
/** @public */
export const completionWindowMs = 30 * 60_000;

/** A zone that loses rides is priced too high, one that loses none may be priced higher; null: too few rides to say. */
export function adaptiveTarget(completionRate: number | null): number {
  if (completionRate === null) return 1;
  if (completionRate < 0.8) return 0.9;
  return completionRate > 0.95 ? 1.1 : 1;
}

/** The factor after one tick; it starts at 1 and is carried unrounded. */
export function nextAdaptiveFactor(factor: number, completionRate: number | null): number {
  return factor + learningRate * (adaptiveTarget(completionRate) - factor);
}
