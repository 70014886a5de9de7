import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultRetention, Partitions } from '../../db/partitions.ts';
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
  const partitions = new Partitions(database.pool, { ...defaultRetention, demandDays: 1 });
  await partitions.upkeep(nowMs + dayMs);
  expect(await partitionsOf('demand_events')).toEqual(['20260531', '20260601', '20260602', '20260603', '20260604']);
});
