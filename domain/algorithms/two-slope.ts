import type { Algorithm } from './algorithm.ts';

/** Steeper up to two riders per driver, gentler beyond; never above 5. */
export const twoSlope: Algorithm = {
  confidence: 0.9,
  multiplier: ({ ratio }) => {
    if (ratio <= 1) return 1;
    if (ratio <= 2) return 1 + 0.5 * (ratio - 1);
    return 1.5 + Math.min(0.3 * (ratio - 2), 3.5);
  },
};
