import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { haversineKm } from '../../domain/distance.ts';
import { defaultTariff, fare, surged } from '../../domain/fare.ts';
import { vehicleTypes } from '../../domain/ids.ts';
import { currencyDecimals, parseDecimal, toMajor } from '../../domain/money.ts';
import { fareBreakdown } from '../../domain/quote.ts';

const union = { latitude: 37.7749, longitude: -122.4194 };
const pier = { latitude: 37.7849, longitude: -122.4094 };

describe('a fare', () => {
  it('of the golden ride is 8.50, and 11.05 at 1.3', () => {
    expect(fare(union, pier, 'standard', defaultTariff, 130)).toEqual({
      distanceKm: 2.1,
      durationMin: 12,
      baseFareMinor: 850,
      finalFareMinor: 1105,
      currency: 'USD',
    });
  });

  it('of no distance is a tenth of a kilometre, a minute and the minimum', () => {
    expect(fare(union, union, 'standard', defaultTariff, 100)).toMatchObject({
      distanceKm: 0.1,
      durationMin: 1,
      baseFareMinor: 500,
    });
  });

  it('keeps fractions of a cent until the end', () => {
    const tariff = { ...defaultTariff, flagfall: '5.0049', perKm: '0.001', perMin: '0', minimum: '0' };
    expect(fare(union, union, 'standard', tariff, 100).baseFareMinor).toBe(501);
  });

  it.each([
    ['2.50', 2_500_000n],
    ['0', 0n],
    ['0.000001', 1n],
    ['500', 500_000_000n],
  ])('reads the amount %s exactly', (text, millionths) => {
    expect(parseDecimal(text)).toBe(millionths);
  });

  it.each(['', '-1', '1.', '.5', '1e3', '0.0000001', '1,5', ' 1', 'NaN'])('refuses the amount "%s"', (text) => {
    expect(() => parseDecimal(text)).toThrow(RangeError);
  });

  it('can be checked by hand from the figures that are shown', () => {
    const place = fc.record({
      latitude: fc.double({ min: 40.5, max: 40.9, noNaN: true }),
      longitude: fc.double({ min: -74.2, max: -73.7, noNaN: true }),
    });
    const multiplier = fc.integer({ min: 80, max: 500 });
    fc.assert(
      fc.property(place, place, fc.constantFrom(...vehicleTypes), multiplier, (from, to, type, hundredths) => {
        const shown = fare(from, to, type, defaultTariff, hundredths);
        // Tenths of a kilometre × 12 cents, minutes × 29 cents; the factor in tenths.
        const cents = 250 + Math.round(shown.distanceKm * 10) * 12 + shown.durationMin * 29;
        const tenfold = Math.max(500, cents) * Math.round(Number(defaultTariff.typeFactors[type]) * 10);
        expect(shown.baseFareMinor).toBe(Math.floor((tenfold + 5) / 10));
        expect(shown.finalFareMinor).toBe(Math.floor((shown.baseFareMinor * hundredths + 50) / 100));
        const total = fareBreakdown(shown).reduce((sum, { amountMinor }) => sum + amountMinor, 0);
        expect(total).toBe(shown.finalFareMinor);
      }),
    );
  });
});

describe('money', () => {
  it('is rounded half up to a minor unit', () => {
    expect([surged(850, 101), surged(50, 101), surged(150, 99), surged(1, 149), surged(1, 150)]).toEqual([
      859, 51, 149, 1, 2,
    ]);
  });

  it.each([
    ['USD', 2, 11.05],
    ['JPY', 0, 1105],
    ['KWD', 3, 1.105],
  ])('of %s has %i decimals', (currency, decimals, major) => {
    expect(currencyDecimals(currency)).toBe(decimals);
    expect(toMajor(1105, currency)).toBe(major);
  });

  it.each([
    [1000, ['default']],
    [1300, ['default', 'surge']],
    [900, ['default', 'discount']],
  ])('of a fare of %i shows its parts', (finalFareMinor, kinds) => {
    const parts = fareBreakdown({
      baseFareMinor: 1000,
      finalFareMinor,
      currency: 'USD',
      distanceKm: 1,
      durationMin: 1,
    });
    expect(parts.map(({ kind }) => kind)).toEqual(kinds);
  });
});

describe('distance', () => {
  it.each([
    ['nothing to the same place', union, union, 0],
    ['a quarter of the globe to the pole', { latitude: 0, longitude: 20 }, { latitude: 90, longitude: 0 }, 10_007.557],
    ['short across the antimeridian', { latitude: 0, longitude: 179.5 }, { latitude: 0, longitude: -179.5 }, 111.195],
    ['half the globe to the antipode', { latitude: 0, longitude: 0 }, { latitude: 0, longitude: 180 }, 20_015.115],
  ])('is %s', (_name, from, to, km) => {
    expect(haversineKm(from, to)).toBeCloseTo(km, 2);
  });
});
