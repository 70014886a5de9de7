import type { Algorithm } from './algorithm.ts';

/** Grows by the same share with every further rider per driver. */
export const exponential = {
  confidence: 0.85,
  multiplier: ({ ratio, exponentialFactor }) => (ratio <= 1 ? 1 : Math.exp(exponentialFactor * (ratio - 1))),
} satisfies Algorithm;
