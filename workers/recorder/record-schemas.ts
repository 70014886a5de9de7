import { z } from 'zod';
import { pricingTypes } from '../../domain/config.ts';
import { type Decision, type Snapshot, triggers } from '../../domain/decision.ts';
import { parseZoneId, vehicleClasses, vehicleTypes } from '../../domain/ids.ts';
import { priceSources, type QuoteRow } from '../../db/quotes.ts';

const zoneId = z.string().transform((text, context) => {
  const id = parseZoneId(text);
  if (id !== undefined) return id;
  context.addIssue('not a zone id');
  return z.NEVER;
});
const vehicleClass = z.enum(vehicleClasses);
const timeMs = z.number().min(0);
const hundredths = z.int().positive();
const whole = z.int().min(0);
const count = z.number().min(0);

export const decisionRecord: z.ZodType<Decision> = z.object({
  zoneId,
  vehicleClass,
  version: z.int().positive(),
  oldMultiplier: hundredths,
  multiplier: hundredths,
  recommended: hundredths,
  trigger: z.enum(triggers),
  supply: count,
  demand: count,
  smoothedSupply: count,
  smoothedDemand: count,
  smoothingFactor: count,
  neighbours: whole,
  algorithm: z.enum(pricingTypes),
  confidence: count,
  guard: z.enum(['feed-stale', 'no-activity', 'no-supply']).nullable(),
  factors: z.array(z.object({ rule: z.string(), before: z.number(), after: z.number(), detail: z.string() })),
  exempt: z.array(z.string()),
  configVersion: whole,
  globalVersion: whole,
  runId: z.string(),
  decidedAtMs: timeMs,
  observedAtMs: timeMs,
});

export const snapshotRecord: z.ZodType<Snapshot> = z.object({
  zoneId,
  vehicleClass,
  atMs: timeMs,
  supply: count,
  demand: count,
  multiplier: hundredths,
  recommended: hundredths,
  version: whole,
});

const point = z.tuple([z.number(), z.number()]);

export const quoteRecord: z.ZodType<QuoteRow> = z.object({
  quoteId: z.uuid(),
  subject: z.string(),
  marketId: z.string(),
  zoneId: z.string(),
  vehicleClass,
  vehicleType: z.enum(vehicleTypes),
  priceVersion: whole,
  priceAsOfMs: timeMs.nullable(),
  baseFareMinor: whole,
  multiplier: hundredths,
  finalFareMinor: whole,
  currency: z.string(),
  pickup: point,
  dropoff: point,
  distanceKm: z.number(),
  durationMin: z.int(),
  source: z.enum(priceSources),
  details: z.string(),
  signingKeyId: z.string(),
  issuedAtMs: timeMs,
  validUntilMs: timeMs,
});
