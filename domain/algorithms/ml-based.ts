import type { Algorithm } from './algorithm.ts';

/** A trained model's multiplier, at least 1. Without a model it has no answer. */
export const mlBased: Algorithm = {
  confidence: 0.95,
  multiplier: ({ modelMultiplier }) => (modelMultiplier === null ? undefined : Math.max(1, modelMultiplier)),
};
