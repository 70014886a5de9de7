import type { Counts } from './counts.ts';
import { quantise } from './units.ts';

/** A neighbour that was freshly observed; one without a fresh observation must be left out by the caller. */
export interface Neighbour extends Counts {
  readonly distanceKm: number;
}

export interface Smoothed extends Counts {
  /** 1 + the sum of the neighbours' weights. */
  readonly smoothingFactor: number;
  /** How many neighbours were used. */
  readonly neighbours: number;
}

/** Zones whose centres are further apart do not touch each other's price. */
export const smoothingRadiusKm = 2;
export const smoothingDecayKm = 1;

/** The zone's own counts averaged with its neighbours', which weigh less the further away they are. */
export function smooth(own: Counts, neighbours: readonly Neighbour[]): Smoothed {
  let { supply, demand } = own;
  let weights = 1;
  let used = 0;
  for (const neighbour of neighbours) {
    if (neighbour.distanceKm > smoothingRadiusKm) continue;
    const weight = Math.exp(-neighbour.distanceKm / smoothingDecayKm);
    supply += weight * neighbour.supply;
    demand += weight * neighbour.demand;
    weights += weight;
    used += 1;
  }
  return {
    supply: quantise(supply / weights),
    demand: quantise(demand / weights),
    smoothingFactor: quantise(weights),
    neighbours: used,
  };
}
