import type { Algorithm } from './algorithm.ts';

/** One slope from the point where riders outnumber drivers. */
export const linear = {
  confidence: 0.9,
  multiplier: ({ ratio, linearFactor }) => (ratio <= 1 ? 1 : 1 + linearFactor * (ratio - 1)),
} satisfies Algorithm;
