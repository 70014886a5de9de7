import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type GlobalRules,
  defaultGlobalRules,
  defaultPricingConfig,
  type PricingConfig,
  pricingModes,
  pricingTypes,
} from '../../domain/config.ts';
import { decay } from '../../domain/decay.ts';
import type { Factor } from '../../domain/decision.ts';
import { driftedPrice } from '../../domain/drift.ts';
import { rate, type RateInput } from '../../domain/rate.ts';
import { capInForce, type Limits, periodLimits, settle, type SettleState } from '../../domain/settle.ts';

const nowMs = Date.UTC(2026, 6, 1);
const hundredths = fc.integer({ min: 50, max: 900 });
const count = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 500, noNaN: true }));
const counts = fc.record({ supply: count, demand: count });
const ratio = (min: number, max: number) => fc.integer({ min: min * 1000, max: max * 1000 }).map((n) => n / 1000);

const config: fc.Arbitrary<PricingConfig> = fc
  .record({
    pricingType: fc.constantFrom(...pricingTypes),
    minMultiplier: ratio(0.5, 1.5),
    maxMultiplier: ratio(1.5, 8),
    absoluteMax: ratio(1, 9),
    linearFactor: ratio(0, 3),
    exponentialFactor: ratio(0, 3),
    rushHourMultiplier: ratio(1, 2),
    weatherMultiplier: ratio(1, 2),
    eventMultiplier: ratio(1, 2),
    maxChangePerPeriod: ratio(0.01, 0.99),
    mode: fc.constantFrom(...pricingModes),
    limitedAutoCap: ratio(1, 4),
  })
  .map((drawn) => ({ ...defaultPricingConfig, ...drawn }));

const rateInput: fc.Arbitrary<RateInput> = fc.record({
  own: counts,
  neighbours: fc.array(fc.record({ distanceKm: ratio(0, 3), supply: count, demand: count }), { maxLength: 6 }),
  feed: fc.constantFrom('healthy', 'unknown'),
  observationAgeMs: fc.integer({ min: 0, max: 600_000 }),
  last: hundredths,
  config,
  adaptiveFactor: ratio(0.9, 1.1),
  context: fc.record({ rushHour: fc.boolean(), severeWeather: fc.boolean(), event: fc.boolean() }),
  modelMultiplier: fc.option(ratio(0.5, 6), { nil: undefined }),
});

const global: fc.Arbitrary<GlobalRules> = fc
  .record({
    maxGlobalMultiplier: ratio(1, 10),
    emergencyMode: fc.boolean(),
    emergencyMultiplier: ratio(0.8, 2),
    maintenanceMode: fc.boolean(),
    maintenanceModeMultiplier: ratio(0.8, 2),
  })
  .map((drawn) => ({ ...defaultGlobalRules, ...drawn }));

interface Situation {
  readonly input: RateInput;
  readonly limits: Omit<Limits, 'config' | 'feedStale'>;
  readonly state: Omit<SettleState, 'last'>;
}

const situation: fc.Arbitrary<Situation> = fc.record({
  input: rateInput,
  limits: fc.record({
    global: fc.oneof({ weight: 3, arbitrary: fc.constant(defaultGlobalRules) }, global),
    regulatoryCaps: fc.array(fc.integer({ min: 80, max: 400 }), { maxLength: 2 }),
    override: fc.option(fc.record({ multiplier: hundredths, expiresAtMs: fc.constantFrom(nowMs - 1, nowMs + 1) })),
  }),
  state: fc.record({
    periodStart: hundredths,
    lastChangedAtMs: fc.option(fc.integer({ min: nowMs - 120_000, max: nowMs })),
  }),
});

function decide({ input, limits, state }: Situation) {
  const rating = rate(input);
  const full: Limits = { ...limits, config: input.config, feedStale: rating.guard === 'feed-stale' };
  const settlement = settle(rating.rated, { ...state, last: input.last }, full, nowMs);
  const value = settlement.kind === 'moved' ? settlement.to : settlement.at;
  return { rating, settlement, value, cap: capInForce(full), factors: [...rating.factors, ...settlement.factors] };
}

/** Nobody but the arithmetic decides: no override in force, no switch. */
function commanded({ limits }: Situation): boolean {
  const { emergencyMode, maintenanceMode } = limits.global;
  return emergencyMode || maintenanceMode || (limits.override !== null && limits.override.expiresAtMs > nowMs);
}

function broken(factors: readonly Factor[]): Factor[] {
  return factors.filter(({ before }, index) => index > 0 && before !== factors[index - 1]?.after);
}

const runs = { numRuns: 3_000 };

describe('whatever the situation', () => {
  it('a price is a whole hundredth and never above a cap in force', () => {
    fc.assert(
      fc.property(situation, (drawn) => {
        const { value, cap, settlement } = decide(drawn);
        expect(Number.isInteger(value) && Number.isInteger(settlement.recommended)).toBe(true);
        expect(value).toBeLessThanOrEqual(cap);
        expect(settlement.recommended).toBeLessThanOrEqual(cap);
      }),
      runs,
    );
  });

  it('a change keeps to the gradual limit and the cooldown, or names why not', () => {
    fc.assert(
      fc.property(situation, (drawn) => {
        const { settlement, rating } = decide(drawn);
        if (settlement.kind === 'held' || settlement.exempt.length > 0) return;
        const { low, high } = periodLimits(drawn.state.periodStart, drawn.input.config.maxChangePerPeriod);
        expect(settlement.to).toBeLessThanOrEqual(high);
        // What a cap or a stale feed leaves may lie under the lower limit: both only ever lower a price.
        const bounded = settlement.factors.some(({ rule }) => rule === 'cap' || rule === 'feed-stale');
        if (!bounded) expect(settlement.to).toBeGreaterThanOrEqual(low);
        const changed = drawn.state.lastChangedAtMs;
        if (rating.guard !== 'feed-stale' && changed !== null) expect(nowMs - changed).toBeGreaterThanOrEqual(60_000);
      }),
      runs,
    );
  });

  it('an exemption is named only where there is one', () => {
    fc.assert(
      fc.property(situation, (drawn) => {
        const { settlement, cap } = decide(drawn);
        if (settlement.kind === 'held') return;
        const { override, global: rules } = drawn.limits;
        const overridden = override !== null && override.expiresAtMs > nowMs;
        expect(settlement.exempt.includes('cap')).toBe(cap < drawn.input.last);
        expect(settlement.exempt.includes('override')).toBe(overridden);
        if (settlement.exempt.includes('emergency')) expect(rules.emergencyMode).toBe(true);
        if (settlement.exempt.includes('maintenance')) expect(rules.maintenanceMode).toBe(true);
      }),
      runs,
    );
  });

  it('the factors lead without a gap from 1 to the multiplier in force', () => {
    fc.assert(
      fc.property(situation, (drawn) => {
        const { factors, value, rating, settlement } = decide(drawn);
        expect(factors[0]?.before).toBe(1);
        expect(rating.factors.at(-1)?.after).toBe(rating.rated);
        expect(broken(factors)).toEqual([]);
        expect(factors.at(-1)?.after).toBe(value / 100);
        if (settlement.factors.length > 0) expect(settlement.factors[0]?.before).toBe(rating.rated);
      }),
      runs,
    );
  });

  it('more demand never makes a ride cheaper', () => {
    fc.assert(
      fc.property(situation, count, (drawn, more) => {
        const { input } = drawn;
        const own = { ...input.own, demand: input.own.demand + more };
        const before = decide(drawn);
        const after = decide({ ...drawn, input: { ...input, own } });
        expect(after.rating.rated).toBeGreaterThanOrEqual(before.rating.rated);
        expect(after.value).toBeGreaterThanOrEqual(before.value);
      }),
      runs,
    );
  });

  it('without a trusted feed no rating and no price goes up', () => {
    fc.assert(
      fc.property(situation, fc.boolean(), (drawn, unknown) => {
        const stale = unknown
          ? { feed: 'unknown' as const }
          : { observationAgeMs: 60_001 + drawn.input.observationAgeMs };
        const { rating, value } = decide({ ...drawn, input: { ...drawn.input, ...stale } });
        expect(rating.guard).toBe('feed-stale');
        expect(rating.rated).toBeLessThanOrEqual(drawn.input.last / 100);
        if (!commanded(drawn)) expect(value).toBeLessThanOrEqual(drawn.input.last);
      }),
      runs,
    );
  });
});

describe('decay', () => {
  it('never goes below nothing and never grows', () => {
    fc.assert(
      fc.property(counts, fc.boolean(), (before, refreshed) => {
        const after = decay(before, refreshed);
        expect(after.supply).toBeGreaterThanOrEqual(0);
        expect(after.demand).toBeGreaterThanOrEqual(0);
        expect(after.supply).toBeLessThanOrEqual(before.supply);
        expect(after.demand).toBeLessThanOrEqual(before.demand);
      }),
    );
  });
});

describe('a stale price', () => {
  const entry = fc.record({
    multiplier: hundredths,
    floor: fc.integer({ min: 80, max: 150 }),
    maxChangePerPeriod: ratio(0.01, 0.99),
    asOfMs: fc.constant(nowMs),
  });

  it('only falls as time passes, and never below its floor', () => {
    fc.assert(
      fc.property(entry, fc.nat(2_000_000), fc.nat(600_000), (price, age, more) => {
        const before = driftedPrice(price, nowMs + age);
        const after = driftedPrice(price, nowMs + age + more);
        expect(after).toBeLessThanOrEqual(before);
        expect(after).toBeGreaterThanOrEqual(Math.min(price.floor, price.multiplier));
      }),
      runs,
    );
  });
});
