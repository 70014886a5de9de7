import { describe, expect, it } from 'vitest';
import { defaultPricingConfig, type PricingConfig } from '../../domain/config.ts';
import { rate, type RateInput } from '../../domain/rate.ts';

const quiet = { rushHour: false, severeWeather: false, event: false };

function rated(change: Partial<Omit<RateInput, 'config'>> & { config?: Partial<PricingConfig> } = {}) {
  return rate({
    own: { supply: 4, demand: 8 },
    neighbours: [],
    feed: 'healthy',
    observationAgeMs: 0,
    last: 100,
    adaptiveFactor: 1,
    context: quiet,
    ...change,
    config: { ...defaultPricingConfig, ...change.config },
  });
}

describe('a rating', () => {
  it.each([
    ['linear', 1.5, 0.9],
    ['piecewise', 2, 0.9],
    ['two_slope', 1.5, 0.9],
    ['exponential', 1.349859, 0.85],
    ['adaptive', 1.349859, 0.8],
  ] as const)('by %s is the curve at the ratio', (pricingType, expected, confidence) => {
    expect(rated({ config: { pricingType } })).toMatchObject({ rated: expected, algorithm: pricingType, confidence });
  });

  it('by a model without a model is linear and says so', () => {
    const rating = rated({ config: { pricingType: 'ml_based' } });
    expect(rating).toMatchObject({ rated: 1.5, algorithm: 'linear', confidence: 0.9 });
    expect(rating.factors[0]?.detail).toContain('no model is loaded');
  });

  it('by a model is what the model asks for, at least 1', () => {
    const config = { pricingType: 'ml_based' as const };
    expect(rated({ config, modelMultiplier: 1.7 })).toMatchObject({
      rated: 1.7,
      algorithm: 'ml_based',
      confidence: 0.95,
    });
    expect(rated({ config, modelMultiplier: 0.4 })).toMatchObject({ rated: 1 });
  });

  it('scales the adaptive curve by what was learned', () => {
    expect(rated({ config: { pricingType: 'adaptive' }, adaptiveFactor: 1.1 }).rated).toBeCloseTo(1.484845, 6);
  });

  it('is trusted less the older its observation is', () => {
    expect(rated({ observationAgeMs: 30_000 }).confidence).toBe(0.81);
    expect(rated({ observationAgeMs: 400_000 }).confidence).toBe(0);
  });

  it('counts what the world asks for after the bounds', () => {
    const context = { rushHour: true, severeWeather: true, event: true };
    const rating = rated({ own: { supply: 1, demand: 40 }, config: { maxMultiplier: 2 }, context });
    expect(rating.rated).toBeCloseTo(2 * 1.1 * 1.2 * 1.3, 6);
    expect(rating.factors.map(({ rule }) => rule)).toEqual(['algorithm', 'bounds', 'rush-hour', 'weather', 'event']);
  });

  it('stays finite however many riders there are', () => {
    const rating = rated({ own: { supply: 0.05, demand: 1e6 }, config: { pricingType: 'exponential' } });
    expect(rating.rated).toBe(5);
    expect(rating.factors.every(({ before, after }) => Number.isFinite(before) && Number.isFinite(after))).toBe(true);
  });
});

describe('the guard', () => {
  const rush = { ...quiet, rushHour: true };
  it.each([
    [
      'no drivers and no riders: the floor, whatever the hour',
      { own: { supply: 0, demand: 0 }, context: rush },
      'no-activity',
      1,
    ],
    [
      'riders and no driver: the highest multiplier, and the rules',
      { own: { supply: 0, demand: 1 }, context: rush },
      'no-supply',
      5.5,
    ],
    [
      'a neighbour with drivers is supply',
      { own: { supply: 0, demand: 1 }, neighbours: [{ distanceKm: 0.5, supply: 9, demand: 0 }] },
      null,
      1,
    ],
    ['an unknown feed does not raise', { feed: 'unknown', last: 120 }, 'feed-stale', 1.2],
    ['an unknown feed may lower', { feed: 'unknown', last: 300 }, 'feed-stale', 1.5],
    [
      'an unknown feed without supply keeps the last',
      { own: { supply: 0, demand: 9 }, feed: 'unknown', last: 170 },
      'feed-stale',
      1.7,
    ],
    ['rush hour does not apply to an unknown feed', { feed: 'unknown', last: 300, context: rush }, 'feed-stale', 1.5],
    ['two periods without an observation are still fresh', { observationAgeMs: 60_000 }, null, 1.5],
    ['more than two periods are stale', { observationAgeMs: 60_001, last: 110 }, 'feed-stale', 1.1],
    ['beyond the time to live it steps down', { observationAgeMs: 300_001, last: 300 }, 'feed-stale', 1.5],
    ['beyond the time to live it ends at the floor', { observationAgeMs: 300_001, last: 120 }, 'feed-stale', 1],
    [
      'beyond the time to live it does not rise to the floor',
      { observationAgeMs: 300_001, last: 80 },
      'feed-stale',
      0.8,
    ],
  ] as const)('%s', (_name, change, guard, expected) => {
    expect(rated(change)).toMatchObject({ guard, rated: expected });
  });
});
