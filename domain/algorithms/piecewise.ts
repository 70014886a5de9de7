import type { Algorithm } from './algorithm.ts';

/** Steps in at half a rider per driver, steepest between 1 and 1.5; never above 5. */
export const piecewise: Algorithm = {
  confidence: 0.9,
  multiplier: ({ ratio }) => {
    if (ratio <= 0.5) return 1;
    if (ratio <= 1) return 1 + 0.4 * (ratio - 0.5);
    if (ratio <= 1.5) return 1.2 + 0.6 * (ratio - 1);
    if (ratio <= 2) return 1.5 + (ratio - 1.5);
    return Math.min(2 + 0.5 * (ratio - 2), 5);
  },
};
