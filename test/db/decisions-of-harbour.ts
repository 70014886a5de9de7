import { expect } from 'vitest';
import type { BoardEntry, Decision } from '../../domain/decision.ts';
import { parseZoneId, zoneKey } from '../../domain/ids.ts';
import { newZone } from '../../domain/zone.ts';
import { boardEntry, decidedZone } from '../../domain/zone-board.ts';

export const zoneId = parseZoneId('harbour') ?? expect.fail('id');
export const key = zoneKey(zoneId, 'car');
export const nowMs = 1_700_000_000_000;
export const zone = newZone(zoneId, 'car', nowMs, nowMs);

export function decision(version: number, multiplier: number): Decision {
  return {
    ...{ zoneId, vehicleClass: 'car', version, oldMultiplier: 100, multiplier, recommended: multiplier },
    ...{ trigger: 'tick', supply: 3.25, demand: 9, smoothedSupply: 3, smoothedDemand: 9, smoothingFactor: 1.5 },
    ...{
      neighbours: 2,
      algorithm: 'linear',
      confidence: 0.9,
      guard: null,
      exempt: [],
      configVersion: 1,
      globalVersion: 1,
    },
    factors: [{ rule: 'algorithm', before: 1, after: multiplier / 100, detail: 'demand 9 / supply 3' }],
    ...{ runId: 'run', decidedAtMs: nowMs, observedAtMs: nowMs },
  };
}

export function entry(made: Decision): BoardEntry & { decision: Decision } {
  return { ...boardEntry(decidedZone(zone, made), nowMs), decision: made };
}
