import { describe, expect, it } from 'vitest';
import { shownCount } from '../../domain/counts.ts';
import { decay } from '../../domain/decay.ts';
import { driftedPrice } from '../../domain/drift.ts';
import { demandColour, demandLevel, estimatedEarningsPerHour } from '../../domain/guidance.ts';
import { isRushHour, localHour } from '../../domain/rush-hour.ts';
import { type DemandAverages, demandTrend, startAverages, updateAverages } from '../../domain/trend.ts';
import { mergeAverages } from '../../domain/trip-metrics.ts';
import { floorHundredths, toHundredths } from '../../domain/units.ts';

/** The averages after ticks with these demands. */
function after(...demands: number[]): DemandAverages {
  return demands.reduce(updateAverages, startAverages());
}

describe('rush hour', () => {
  const newYork = 'America/New_York';
  it.each([
    ['2026-01-15T11:59:59Z', false],
    ['2026-01-15T12:00:00Z', true],
    ['2026-01-15T14:59:59Z', true],
    ['2026-01-15T15:00:00Z', false],
    ['2026-01-15T22:00:00Z', true],
    ['2026-01-16T00:59:59Z', true],
    ['2026-01-16T01:00:00Z', false],
    ['2026-07-15T11:00:00Z', true],
    ['2026-07-15T14:00:00Z', false],
  ])('is read off the clocks of New York, summer and winter: %s', (at, expected) => {
    expect(isRushHour(Date.parse(at), newYork)).toBe(expected);
  });

  it('knows midnight as hour 0 and half-hour zones', () => {
    expect(localHour(Date.parse('2026-01-15T05:00:00Z'), newYork)).toBe(0);
    expect(localHour(Date.parse('2026-01-15T01:30:00Z'), 'Asia/Kolkata')).toBe(7);
  });

  it('of an unknown time zone is an error', () => {
    expect(() => isRushHour(0, 'Mars/Olympus')).toThrow(RangeError);
  });
});

describe('decay', () => {
  it('spares supply that was seen during the period', () => {
    expect(decay({ supply: 3, demand: 10 }, true)).toEqual({ supply: 3, demand: 9 });
    expect(decay({ supply: 4, demand: 10 }, false)).toEqual({ supply: 3.8, demand: 9 });
  });

  it('ends in nothing, but not by rounding to whole numbers', () => {
    const left = decay({ supply: 0.06, demand: 0.05 }, false);
    expect(left.supply).toBeCloseTo(0.057, 9);
    expect(left.demand).toBe(0);
  });
});

describe('the demand trend', () => {
  it.each([
    ['nothing ever', after(0, 0, 0), 'stable'],
    ['demand that has just begun', after(1), 'increasing'],
    ['an hour of steady demand', after(...Array.from({ length: 240 }, () => 12)), 'stable'],
    ['demand that broke off', after(...Array.from({ length: 240 }, () => 12), 0, 0, 0), 'decreasing'],
    ['demand that is long gone', after(12, ...Array.from({ length: 2_000 }, () => 0)), 'stable'],
  ] as const)('of %s', (_name, averages, expected) => {
    expect(demandTrend(averages)).toBe(expected);
  });
});

describe('the demand level', () => {
  it.each([
    [109, 'low', '#51cf66'],
    [110, 'moderate', '#ffd43b'],
    [130, 'high', '#ff6b6b'],
    [199, 'high', '#ff6b6b'],
    [200, 'extreme', '#c92a2a'],
  ])('at %i hundredths is %s', (multiplier, level, colour) => {
    expect(demandLevel(multiplier)).toBe(level);
    expect(demandColour(demandLevel(multiplier))).toBe(colour);
  });
});

describe('expected earnings', () => {
  it('are full while riders outnumber drivers, and nothing without riders', () => {
    const zone = { multiplier: 150, averageBaseFareMinor: 1444 };
    expect(estimatedEarningsPerHour({ ...zone, supply: 0, demand: 1 })).toBe(3249);
    expect(estimatedEarningsPerHour({ ...zone, supply: 4, demand: 2 })).toBe(1625);
    expect(estimatedEarningsPerHour({ ...zone, supply: 4, demand: 0 })).toBe(0);
  });
});

describe('a stale price', () => {
  const entry = { multiplier: 301, floor: 100, maxChangePerPeriod: 0.5, asOfMs: 0 };
  it.each([
    ['keeps until its time to live is over', 300_000, 301],
    ['keeps for one period more', 329_999, 301],
    ['halves with the first whole period', 330_000, 151],
    ['halves again, from the unrounded value', 360_000, 100],
    ['ends at the floor', 10_000_000, 100],
    ['of the future is as it is', -60_000, 301],
  ])('%s', (_name, nowMs, expected) => {
    expect(driftedPrice(entry, nowMs)).toBe(expected);
  });

  it('under the floor stays', () => {
    expect(driftedPrice({ ...entry, multiplier: 80 }, 10_000_000)).toBe(80);
  });
});

describe('rounding', () => {
  it.each([
    [1.005, 101],
    [1.0049999999, 101],
    [1.004999, 100],
    [2.675, 268],
    [0.145, 15],
    [2.48389, 248],
  ])('takes %f half up on its decimal text', (value, expected) => {
    expect(toHundredths(value)).toBe(expected);
  });

  it('takes caps down', () => {
    expect([floorHundredths(1.239), floorHundredths(1.15), floorHundredths(3)]).toEqual([123, 115, 300]);
  });

  it('shows counts whole', () => {
    expect([0.49, 0.5, 1.5, 2.499].map(shownCount)).toEqual([0, 1, 2, 2]);
  });
});

it('windows without trips merge to nothing', () => {
  const none = { tripCount: 0, avgDurationS: 0 };
  expect(mergeAverages(none, none)).toEqual(none);
  expect(mergeAverages(none, { tripCount: 2, avgDurationS: 60 })).toEqual({ tripCount: 2, avgDurationS: 60 });
});
