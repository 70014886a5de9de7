import type { PricingType } from '../config.ts';
import { adaptive } from './adaptive.ts';
import type { Algorithm } from './algorithm.ts';
import { exponential } from './exponential.ts';
import { linear } from './linear.ts';
import { mlBased } from './ml-based.ts';
import { piecewise } from './piecewise.ts';
import { twoSlope } from './two-slope.ts';

/** Every curve by its name in the configuration. A new one is a file beside this and a line here. */
export const algorithms: Readonly<Record<PricingType, Algorithm>> = {
  piecewise,
  two_slope: twoSlope,
  linear,
  exponential,
  adaptive,
  ml_based: mlBased,
};
