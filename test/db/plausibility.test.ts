import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { driverTtlMs } from '../../domain/config.ts';
import { isPlausible } from '../../domain/plausibility.ts';
import { apply, fix } from './live-fixtures.ts';
import { redisMarket } from './redis-market.ts';

/** Ways that are about as long as the limit allows, in every direction, also across the edge of the map. */
const ways = fc.record({
  latitude: fc.double({ min: -80, max: 80, noNaN: true }),
  longitude: fc.constantFrom(-74, 0, 179.9999, -179.9999),
  bearing: fc.double({ min: 0, max: 2 * Math.PI, noNaN: true }),
  ofLimit: fc.constantFrom(0, 0.3, 0.6, 0.9, 0.99, 1.01, 1.1, 3),
  elapsedMs: fc.constantFrom(1, 400, 1000, 7000, 60_000, driverTtlMs, driverTtlMs + 1),
});

it('is judged by the Lua script exactly as by the domain', async () => {
  await using market = redisMarket();
  const seen = { true: 0, false: 0 };
  let driver = 0;
  await fc.assert(
    fc.asyncProperty(ways, async ({ latitude, longitude, bearing, ofLimit, elapsedMs }) => {
      const meters = ofLimit * 100 * Math.max(1, elapsedMs / 1000);
      const to = {
        latitude: latitude + (meters * Math.cos(bearing)) / 111_195,
        longitude: wrap(longitude + (meters * Math.sin(bearing)) / 111_195 / Math.cos((latitude * Math.PI) / 180)),
      };
      const atMs = Date.now();
      const before = { latitude, longitude, atMs: atMs - elapsedMs };
      const expected = isPlausible(before, { ...to, atMs });
      driver += 1;
      await apply(market, fix(`d${driver}`, before));
      const { applied, implausible } = await apply(market, fix(`d${driver}`, { ...to, atMs }));
      expect({ applied, implausible }).toEqual({ applied: Number(expected), implausible: Number(!expected) });
      seen[expected ? 'true' : 'false'] += 1;
    }),
    { numRuns: 500 },
  );
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(50);
});

function wrap(longitude: number): number {
  return longitude > 180 ? longitude - 360 : longitude < -180 ? longitude + 360 : longitude;
}
