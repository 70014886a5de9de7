import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importNewYork } from '../../cli/zones.ts';
import { loadMarkets, storeMarket, storeZones } from '../../db/markets.ts';
import { loadPricingConfigs } from '../../db/pricing-config.ts';
import { defaultTariff } from '../../domain/fare.ts';
import type { Market, NamedZone } from '../../domain/geography.ts';
import { importZones } from '../../geo/zone-import.ts';
import { ZoneIndex } from '../../geo/zone-index.ts';
import { collection, marketId, square } from '../geo/shapes.ts';
import { freshDatabase, freshMarketId, type TestDatabase } from '../harness.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

function drawn(side = 0.01): { zones: readonly NamedZone[]; market: Market } {
  const features = collection(
    [square(-74, 40.7, side), { zone: 'West' }],
    [square(-73.99, 40.7, 0.01), { zone: 'East' }],
  );
  const { zones, boundary } = importZones(features, { marketId });
  const market: Market = {
    marketId,
    name: 'Test town',
    timeZone: 'Asia/Kuwait',
    currency: 'KWD',
    tariff: { ...defaultTariff, currency: 'KWD', flagfall: '0.750' },
    speedByHour: Array.from({ length: 24 }, (_, hour) => 10 + hour / 2),
    averageBaseFare: 1.125,
    boundary,
  };
  return { zones, market };
}

describe('a market', () => {
  it('comes back as it was stored, however often', async () => {
    const { zones, market } = drawn();
    for (let time = 0; time < 2; time += 1) {
      await storeMarket(database.pool, market);
      await storeZones(database.pool, marketId, zones);
    }
    const loaded = (await loadMarkets(database.pool)).find((found) => found.marketId === marketId);
    const sorted = zones.map((zone) => ({ ...zone, cells: zone.cells.toSorted() }));
    expect(loaded).toEqual({ ...market, zones: sorted.toSorted((a, b) => (a.zoneId < b.zoneId ? -1 : 1)) });
    expect(await mapVersions()).toEqual([1, 1]);
  });

  it('gives up the cells that a redrawn zone no longer has', async () => {
    const { zones } = drawn(0.004);
    await storeZones(database.pool, marketId, zones);
    const loaded = (await loadMarkets(database.pool)).find((found) => found.marketId === marketId);
    const west = zones.find(({ zoneId }) => zoneId === 'tt-west');
    expect(loaded?.zones.find(({ zoneId }) => zoneId === 'tt-west')?.cells).toEqual(west?.cells.toSorted());
    expect(await mapVersions()).toEqual([1, 2]);
  });

  it('cannot take the zones of another', async () => {
    const { zones, market } = drawn();
    const other = freshMarketId();
    await storeMarket(database.pool, { ...market, marketId: other });
    await expect(storeZones(database.pool, other, zones)).rejects.toThrow('taken by another market');
    const loaded = await loadMarkets(database.pool);
    expect(loaded.find((found) => found.marketId === other)?.zones).toEqual([]);
  });
});

it('New York is imported once, and prices Midtown by name and the harbour by cell', async () => {
  expect(await importNewYork(database.pool)).toMatchObject({ market: 'nyc', zones: 260 });
  expect(await importNewYork(database.pool)).toBeUndefined();
  const index = new ZoneIndex(await loadMarkets(database.pool));
  expect(index.at(40.7549, -73.984)).toMatchObject({ marketId: 'nyc', zoneId: expect.stringMatching(/^nyc-/) });
  expect(index.at(40.66, -74.04)).toMatchObject({ marketId: 'nyc', zoneId: expect.stringMatching(/^88/) });
  expect(index.at(51.5, -0.12)).toBeUndefined();
});

it('a new market can be priced at once, by a configuration that storing it again leaves alone', async () => {
  const { market } = drawn();
  const own = { ...market, marketId: freshMarketId() };
  await storeMarket(database.pool, own);
  await database.pool.query(`update zone_pricing_configs set linear_factor = 0.7 where market_id = $1`, [own.marketId]);
  await storeMarket(database.pool, own);
  const [zone] = drawn().zones;
  const config = zone && (await loadPricingConfigs(database.pool, own.marketId)).of(zone.zoneId, 'car');
  expect(config).toMatchObject({ version: 1, pricingType: 'linear', linearFactor: 0.7, maxMultiplier: 5 });
});

async function mapVersions(): Promise<number[]> {
  const { rows } = await database.pool.query<{ map_version: number }>(
    'select map_version from surge_zones where market_id = $1 order by zone_id',
    [marketId],
  );
  return rows.map((row) => row.map_version);
}
