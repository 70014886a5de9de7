import type { Algorithm } from './algorithm.ts';
import { exponential } from './exponential.ts';

/** The exponential curve, corrected by how many rides of the zone end well. */
export const adaptive: Algorithm = {
  confidence: 0.8,
  multiplier: (input) => exponential.multiplier(input) * input.adaptiveFactor,
};
