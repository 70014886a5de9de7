import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultRetention, partitionOf, Partitions } from '../../db/partitions.ts';
import { storeDemand } from '../../db/demand.ts';
import { freshDatabase, type TestDatabase } from '../harness.ts';
import { demandOf } from '../workers/events.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 4, 31, 23, 55);

async function partitionsOf(table: string): Promise<string[]> {
  const { rows } = await database.pool.query<{ name: string }>(
    'select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass order by 1',
    [table],
  );
  return rows.map(({ name }) => name.replace(`${table}_`, ''));
}

function row(timestampMs: number) {
  return { event: demandOf('r1', { timestampMs, receivedAtMs: nowMs }), marketId: 'm', zoneId: undefined, flags: [] };
}

it('makes partitions from yesterday to three days ahead, however often it is asked', async () => {
  await Promise.all([new Partitions(database.pool).upkeep(nowMs), new Partitions(database.pool).upkeep(nowMs)]);
  expect(await partitionsOf('demand_events')).toEqual(['20260530', '20260531', '20260601', '20260602', '20260603']);
  expect(await partitionsOf('supply_demand_snapshots')).toEqual(['202605', '202606']);
});

it('has a place for a row of ten minutes before midnight and for one of two minutes after', async () => {
  const midnight = Date.UTC(2026, 5, 1);
  expect(await storeDemand(database.pool, [row(midnight - 600_000), row(midnight + 120_000)])).toBe(2);
});

it('makes a partition for an older day on demand, so that a recorder can catch up after an outage', async () => {
  const old = nowMs - 10 * dayMs;
  await expect(storeDemand(database.pool, [row(old)])).rejects.toMatchObject({ code: '23514' });
  await new Partitions(database.pool).ensure('demand_events', [old], nowMs);
  expect(await storeDemand(database.pool, [row(old)])).toBe(1);
});

it('makes none for a day that retention would drop at once, nor for the far future', async () => {
  const before = await partitionsOf('demand_events');
  await new Partitions(database.pool).ensure('demand_events', [nowMs - 91 * dayMs, nowMs + 5 * dayMs], nowMs);
  expect(await partitionsOf('demand_events')).toEqual(before);
});

it('drops what is past retention and nothing younger', async () => {
  const partitions = new Partitions(database.pool, { ...defaultRetention, locationDays: 1 });
  await partitions.upkeep(nowMs + dayMs);
  expect(await partitionsOf('demand_events')).toEqual(['20260531', '20260601', '20260602', '20260603', '20260604']);
});

it('makes a partition again that somebody else dropped, and stores its rows', async () => {
  const partitions = new Partitions(database.pool);
  const today = Date.now();
  const store = (timestampMs: number) => {
    const rows = [{ ...row(timestampMs), event: demandOf('r1', { timestampMs, receivedAtMs: today }) }];
    return partitions.storing('demand_events', [timestampMs], () => storeDemand(database.pool, rows));
  };
  expect(await store(today)).toBe(1);
  await database.pool.query(`drop table ${partitionOf('demand_events', today).name}`);
  expect(await store(today)).toBe(1);
  await expect(store(today - 91 * dayMs)).rejects.toMatchObject({ code: '23514' });
});

it('does not repeat what breaks a rule of the table itself', async () => {
  let tries = 0;
  const unnamed = { ...row(Date.now()), event: demandOf('', {}) };
  const store = () => {
    tries += 1;
    return storeDemand(database.pool, [unnamed]);
  };
  await expect(new Partitions(database.pool).storing('demand_events', [Date.now()], store)).rejects.toThrow(/check/);
  expect(tries).toBe(1);
});

it('deletes old prices step by step, so that a run which is cut short leaves less to the next', async () => {
  const { pool } = database;
  const upkeepAt = nowMs + 1000 * dayMs;
  await pool.query(
    `insert into quotes (quote_id, subject, market_id, zone_id, vehicle_class, vehicle_type, price_version, base_fare_minor,
       multiplier, final_fare_minor, currency, pickup_lat, pickup_lng, dropoff_lat, dropoff_lng, distance_km, duration_min,
       issued_at, valid_until, source)
     select gen_random_uuid(), 's', 'm', 'z', 'car', 'standard', 0, 1, 1, 1, 'USD', 0, 0, 0, 0, 1, 1, at, at + interval '1 min',
       'live' from (select to_timestamp($1 / 1000.0) as at from generate_series(1, 25000)) old`,
    [nowMs],
  );
  let deletes = 0;
  const breaking = new Proxy(pool, {
    get(target, name) {
      if (name !== 'query') return Reflect.get(target, name);
      return (text: string, values: unknown[]) => {
        if (text.includes('delete from quotes')) deletes += 1;
        return deletes === 2 ? Promise.reject(new Error('cut short')) : target.query(text, values);
      };
    },
  });
  const left = async () =>
    (await pool.query<{ count: number }>('select count(*)::int as count from quotes')).rows[0]?.count;
  await expect(new Partitions(breaking).upkeep(upkeepAt)).rejects.toThrow('cut short');
  expect(await left()).toBe(15_000);
  await new Partitions(pool).upkeep(upkeepAt);
  expect(await left()).toBe(0);
});
