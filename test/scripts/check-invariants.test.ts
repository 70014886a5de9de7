import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisKeys } from '../../db/redis-keys.ts';
import { checkInvariants, runChecker } from '../../scripts/check-invariants.ts';
import type { Subject } from '../../scripts/check/findings.ts';
import { busy, calm, type City, startCity } from './city.ts';

let city: City;
beforeAll(async () => {
  city = await startCity();
  await city.deps.pool.query('create table saved as table pricing_event_logs');
}, 90_000);
afterAll(() => city[Symbol.asyncDispose]());

const options = { total: 30, each: 1, timeoutMs: 1_000, patienceMs: 0, say: () => {} };

async function check(changes: Partial<typeof options> = {}) {
  return checkInvariants([city.deps], city.ledger, { ...options, ...changes });
}

/** What was breached, and where. */
async function breaches(): Promise<{ subject: Subject; where: string; what: string }[]> {
  const { breaches: found, passed } = await check();
  expect(passed).toBe(found.length === 0);
  return [...found];
}

async function sql(text: string, ...values: unknown[]): Promise<void> {
  const { rowCount } = await city.deps.pool.query(text, values);
  expect(rowCount).toBeGreaterThan(0);
}

/** Does the damage, looks at what the checker says, and mends it. */
async function whileDamaged(damage: () => Promise<unknown>, mend: () => Promise<unknown>) {
  await damage();
  try {
    return await breaches();
  } finally {
    await mend();
  }
}

it('finds nothing wrong with a city that works, and says how much it compared', async () => {
  const report = await check({ patienceMs: 5_000 });
  expect(report.breaches).toEqual([]);
  expect(report.belowFloor).toEqual([]);
  expect(report.passed).toBe(true);
  for (const subject of ['P1', 'P2', 'P3', 'P4', 'P5', 'P6']) expect(report.compared[subject]).toBeGreaterThan(0);
  expect(report.compared['P1']).toBe(city.ledger.events.location.size + city.ledger.events.demand.size);
});

it('fails when too little was compared', async () => {
  const report = await check({ total: 1_000_000 });
  expect(report).toMatchObject({ passed: false, breaches: [], belowFloor: [expect.stringContaining('1000000')] });
});

/** Of the second version, and back again. */
function row(column: string): string {
  return `update pricing_event_logs set ${column} where price_version = 2`;
}

function moveDriver(degrees: number): Promise<void> {
  return sql(`update driver_location_events set latitude = latitude + $1 where driver_id = 'd2'`, degrees);
}

function weigh(tenths: number): Promise<void> {
  return sql(`update demand_events set weight_tenths = $1 where rider_hash = 'r1-1'`, tenths);
}

function raiseFares(minor: number): Promise<void> {
  return sql('update quotes set final_fare_minor = final_fare_minor + $1', minor);
}

describe('it fails and names the promise', () => {
  const p4 = { subject: 'P4', where: busy };
  const p5 = { subject: 'P5', where: busy };

  it.each([
    [
      'a multiplier of the log was changed',
      row('new_multiplier = new_multiplier + 0.01'),
      row('new_multiplier = new_multiplier - 0.01'),
      [p4, p5],
    ],
    [
      'a version is missing',
      'delete from pricing_event_logs where price_version = 2',
      'insert into pricing_event_logs overriding system value select * from saved where price_version = 2',
      [p4],
    ],
    [
      'a snapshot shows another price',
      'update supply_demand_snapshots set surge_multiplier = surge_multiplier + 0.01',
      'update supply_demand_snapshots set surge_multiplier = surge_multiplier - 0.01',
      [p4],
    ],
    [
      'a snapshot lies off its tick',
      `update supply_demand_snapshots set "timestamp" = "timestamp" + interval '1 second'`,
      `update supply_demand_snapshots set "timestamp" = "timestamp" - interval '1 second'`,
      [p5],
    ],
    [
      'a price is above its cap',
      'update zone_pricing_configs set absolute_max = 1.01',
      'update zone_pricing_configs set absolute_max = null',
      [p5],
    ],
    [
      'a price went past the gradual limit',
      'update zone_pricing_configs set max_change_per_period = 0.01',
      'update zone_pricing_configs set max_change_per_period = 0.5',
      [p5],
    ],
    [
      'a change came within the cooldown',
      'update global_pricing_rules set price_change_cooldown_seconds = 60',
      'update global_pricing_rules set price_change_cooldown_seconds = 0',
      [p5],
    ],
    ['an exemption is none that there is', row(`exempt = '{mood}'`), row(`exempt = '{}'`), [p5]],
    [
      'a price rose without a trusted feed',
      row(`guard = 'feed-stale'`),
      row('guard = null'),
      [{ subject: 'P8', where: busy }],
    ],
  ])('when %s', async (_name, damage, mend, expected) => {
    const found = await whileDamaged(
      () => sql(damage),
      () => sql(mend),
    );
    expect(found).toEqual(expect.arrayContaining(expected.map((breach) => expect.objectContaining(breach))));
    const subjects = new Set(found.map(({ subject }) => subject));
    expect(subjects).toEqual(new Set(expected.map(({ subject }) => subject)));
  });

  it('when a fix of the ledger is missing in history', async () => {
    const [first = ''] = city.ledger.events.location;
    const rename = 'update driver_location_events set event_id = $2 where event_id = $1';
    const found = await whileDamaged(
      () => sql(rename, first, 'gone'),
      () => sql(rename, 'gone', first),
    );
    expect(found).toEqual([{ subject: 'P1', where: first, what: expect.stringContaining('nowhere') }]);
  });

  it('when a demand event of the ledger is in history no more, and not when it is a dead letter', async () => {
    const { redis, market } = city.deps;
    const { deadLetter } = redisKeys(market).streams;
    const [first = ''] = city.ledger.events.demand;
    const rename = 'update demand_events set event_id = $2 where event_id = $1';
    await sql(rename, first, 'gone');
    expect(await breaches()).toMatchObject([{ subject: 'P1', where: first }]);
    await redis.xadd(deadLetter, '*', 'reason', 'test', 'event', JSON.stringify({ eventId: first }));
    expect(await breaches()).toEqual([]);
    await sql(rename, 'gone', first);
    await redis.del(deadLetter);
  });

  it('when a zone counts a driver it has not, counts one twice, or misses one', async () => {
    const { redis, market } = city.deps;
    const [here, there] = [redisKeys(market).zoneDrivers(busy), redisKeys(market).zoneDrivers(calm)];
    const score = (await redis.zscore(here, 'd1')) ?? '';
    const twice = await whileDamaged(
      () => redis.zadd(there, score, 'd1'),
      () => redis.zrem(there, 'd1'),
    );
    expect(twice).toContainEqual({ subject: 'P2', where: calm, what: expect.stringContaining('without cause: d1') });
    expect(twice.map(({ what }) => what).join()).toContain('which');
    const missing = await whileDamaged(
      () => redis.zrem(here, 'd1'),
      () => redis.zadd(here, score, 'd1'),
    );
    expect(missing).toContainEqual({ subject: 'P2', where: busy, what: 'does not count d1' });
  });

  it('when the live state has a driver elsewhere than history does', async () => {
    const found = await whileDamaged(
      () => moveDriver(0.25),
      () => moveDriver(-0.25),
    );
    expect(found).toMatchObject([{ subject: 'P2', where: 'd2', what: expect.stringContaining('in history') }]);
  });

  it('when a demand counter was moved', async () => {
    const { redis, market } = city.deps;
    const key = redisKeys(market).zoneDemand(busy);
    const found = await whileDamaged(
      () => redis.hincrby(key, 'total', 2),
      () => redis.hincrby(key, 'total', -2),
    );
    expect(found).toContainEqual({ subject: 'P3', where: busy, what: expect.stringContaining('recorded events') });
    expect(found).toContainEqual({ subject: 'P3', where: busy, what: expect.stringContaining('the zone has seen') });
  });

  it('when a recorded demand event carries another weight', async () => {
    const found = await whileDamaged(
      () => weigh(2),
      () => weigh(10),
    );
    expect(found).toMatchObject([{ subject: 'P3', where: busy }]);
  });

  it('when a quote carries another fare than it was answered with, or is gone', async () => {
    const found = await whileDamaged(
      () => raiseFares(1),
      () => raiseFares(-1),
    );
    expect(found).toMatchObject([
      { subject: 'P6', where: city.quoteId, what: expect.stringContaining('hundredths is') },
      { subject: 'P6', where: city.quoteId, what: expect.stringContaining('answered') },
    ]);
    const other = randomUUID();
    const rename = 'update quotes set quote_id = $2 where quote_id = $1';
    const gone = await whileDamaged(
      () => sql(rename, city.quoteId, other),
      () => sql(rename, other, city.quoteId),
    );
    expect(gone).toMatchObject([{ subject: 'P6', where: city.quoteId, what: 'was answered and is nowhere' }]);
  });

  it('when something was never worked through', async () => {
    const { redis, market } = city.deps;
    const { changed } = redisKeys(market);
    const found = await whileDamaged(
      () => redis.zadd(changed, 1, busy),
      () => redis.zrem(changed, busy),
    );
    expect(found).toMatchObject([{ subject: 'quiet', what: expect.stringContaining('1 changed zones') }]);
  });

  it('when the board shows another version than log and workflow', async () => {
    const { redis, market } = city.deps;
    const key = redisKeys(market).pricing(busy);
    const text = (await redis.get(key)) ?? '';
    const older = text.replace(/"version":\d+/, '"version":1');
    const found = await whileDamaged(
      () => redis.set(key, older),
      () => redis.set(key, text),
    );
    expect(found).toContainEqual({ ...p4, what: expect.stringContaining('board is at version 1, the log at') });
    expect(found).toContainEqual({ ...p4, what: expect.stringContaining('the workflow is at') });
  });

  it('when nobody works on a zone that is awake', async () => {
    const { client, market } = city.deps;
    await client.workflow.getHandle(`zone:${market}:aaa:car`).terminate('test');
    expect(await breaches()).toContainEqual({ ...p4, what: 'the workflow is TERMINATED' });
  });
});

describe('as a command', () => {
  it('answers 2 where nothing can be said', async () => {
    const nowhere = { DATABASE_URL: 'postgres://127.0.0.1:1/none', REDIS_URL: 'redis://127.0.0.1:1' };
    expect(await runChecker(['--floor', 'many'], nowhere)).toBe(2);
    expect(await runChecker(['--ledger', '/nowhere/at/all'], nowhere)).toBe(2);
  });
});
