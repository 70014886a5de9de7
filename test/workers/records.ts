import { randomBytes } from 'node:crypto';
import type { QuoteRow } from '../../db/quotes.ts';
import type { Decision, Snapshot } from '../../domain/decision.ts';
import { zone } from '../db/live-fixtures.ts';

/** Postgres knows zones by their id alone, so each test run has one of its own. */
const zoneId = zone(`zone-${randomBytes(5).toString('hex')}`);

export function decisionOf(version: number): Decision {
  return {
    zoneId: zone(`${zoneId}-${randomBytes(3).toString('hex')}`),
    vehicleClass: 'car',
    version,
    oldMultiplier: 110,
    multiplier: 125,
    recommended: 130,
    trigger: 'observation',
    supply: 2.5,
    demand: 4,
    smoothedSupply: 2.5,
    smoothedDemand: 4,
    smoothingFactor: 1,
    neighbours: 0,
    algorithm: 'linear',
    confidence: 0.9,
    guard: null,
    factors: [{ rule: 'linear', before: 1, after: 1.25, detail: "demand per driver 1.5, {odd} 'text'" }],
    exempt: ['cap'],
    configVersion: 1,
    globalVersion: 1,
    runId: 'run',
    decidedAtMs: Date.now(),
    observedAtMs: Date.now() - 20,
  };
}

const tickMs = Date.now();

export function snapshotOf(version: number): Snapshot {
  return {
    zoneId,
    vehicleClass: 'car',
    atMs: tickMs,
    supply: 2.5,
    demand: 4,
    multiplier: 125,
    recommended: 130,
    version,
  };
}

export function quoteOf(marketId: string, quoteId: string): QuoteRow {
  return {
    quoteId,
    subject: 'rider-1',
    marketId,
    zoneId,
    vehicleClass: 'car',
    vehicleType: 'standard',
    priceVersion: 3,
    priceAsOfMs: Date.now(),
    baseFareMinor: 850,
    multiplier: 125,
    finalFareMinor: 1063,
    currency: 'USD',
    pickup: [40.5, -74],
    dropoff: [40.6, -74],
    distanceKm: 2.1,
    durationMin: 12,
    source: 'redis',
    details: '{}',
    signingKeyId: 'k1',
    issuedAtMs: Date.now(),
    validUntilMs: Date.now() + 300_000,
  };
}
