import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { StreamEntry } from '../../db/streams.ts';
import { driverTtlMs } from '../../domain/config.ts';
import { type LocationEvent, fastestPlausibleMetersPerSecond } from '../../domain/events.ts';
import { defaultTariff } from '../../domain/fare.ts';
import type { MarketId } from '../../domain/ids.ts';
import { countableAgeMs } from '../../domain/observation.ts';
import { ZoneIndex } from '../../geo/zone-index.ts';
import { createLiveHandler } from '../../workers/ingestion/live.ts';
import { liveDeps } from '../workers/loops.ts';
import { type RedisMarket, redisMarket } from './redis-market.ts';

// Real cabs of San Francisco: what the live state says at many moments of their weeks, against a reference of a few lines.

interface Fix {
  readonly driverId: string;
  readonly atMs: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly occupied: boolean;
}

const folder = process.env['EQUILIBRIUM_DATA_DIR'];
const files = folder !== undefined && existsSync(folder) ? traceFiles(folder) : [];
const missing = files.length === 0;
if (missing) console.warn('no traces are played: EQUILIBRIUM_DATA_DIR names no folder with sf-cab-*.csv');

function traceFiles(path: string): string[] {
  return readdirSync(path).flatMap((name) => (/^sf-cab-.*\.csv$/.test(name) ? [join(path, name)] : []));
}

function readTrace(path: string): Fix[] {
  const [, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [driverId = '', seconds, latitude, longitude, occupied] = line.trim().split(',');
    return {
      driverId,
      atMs: Number(seconds) * 1000,
      latitude: Number(latitude),
      longitude: Number(longitude),
      occupied: occupied === '1',
    };
  });
}

/** The city, without the airport in the south and the bridges. */
function sanFrancisco(marketId: MarketId): ZoneIndex {
  const [west, south, east, north] = [-122.52, 37.7, -122.37, 37.82];
  const ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  const boundary = { type: 'Polygon' as const, coordinates: [ring] };
  const described = { name: 'San Francisco', timeZone: 'America/Los_Angeles', currency: 'USD', tariff: defaultTariff };
  return new ZoneIndex([{ ...described, marketId, speedByHour: null, averageBaseFare: 14.44, boundary, zones: [] }]);
}

interface Reference {
  /** `<zone>:<class>` → drivers. */
  readonly supply: Record<string, string[]>;
  readonly outcomes: Record<string, number>;
}

function metersBetween(a: Fix, b: Fix): number {
  const rad = (degrees: number) => (degrees * Math.PI) / 180;
  const [p, q] = [rad(a.latitude), rad(b.latitude)];
  const cosine = Math.sin(p) * Math.sin(q) + Math.cos(p) * Math.cos(q) * Math.cos(rad(a.longitude - b.longitude));
  return 6_371_008.8 * Math.acos(Math.min(1, cosine));
}

/** Fixes in the order of their times, as seen at `nowMs`. */
function referenceOf(fixes: readonly Fix[], nowMs: number, zoneAt: (fix: Fix) => string | undefined): Reference {
  const before = new Map<string, Fix>();
  const held = new Map<string, Fix>();
  const free = new Map<string, boolean>();
  const outcomes = { applied: 0, implausible: 0, late: 0 };
  for (const fix of fixes) {
    if (nowMs - fix.atMs > countableAgeMs) {
      outcomes.late += 1;
      continue;
    }
    free.set(fix.driverId, !fix.occupied);
    const last = before.get(fix.driverId);
    before.set(fix.driverId, fix);
    const elapsedMs = last === undefined ? Number.POSITIVE_INFINITY : fix.atMs - last.atMs;
    const reach = (fastestPlausibleMetersPerSecond * Math.max(elapsedMs, 1000)) / 1000;
    if (last !== undefined && elapsedMs <= driverTtlMs && metersBetween(last, fix) > reach) outcomes.implausible += 1;
    else {
      outcomes.applied += 1;
      held.set(fix.driverId, fix);
    }
  }
  const supply: Record<string, string[]> = {};
  for (const [driverId, fix] of held) {
    const zone = zoneAt(fix);
    if (zone === undefined || nowMs - fix.atMs >= driverTtlMs || free.get(driverId) !== true) continue;
    (supply[`${zone}:car`] ??= []).push(driverId);
  }
  return { supply, outcomes };
}

/** A moment at which no fix is about to pass a limit of age, as the test itself takes some time. */
function calmMoment(fixes: readonly Fix[], fromMs: number): number {
  for (let atMs = fromMs; ; atMs += 1000) {
    const near = (limitMs: number, age: number) => age > limitMs - 5000 && age <= limitMs;
    const ages = fixes.map((fix) => atMs - fix.atMs);
    if (!ages.some((age) => near(driverTtlMs, age) || near(countableAgeMs, age))) return atMs;
  }
}

function entriesOf(fixes: readonly Fix[], shiftMs: number): StreamEntry[] {
  return fixes.map(({ driverId, atMs, latitude, longitude, occupied }, i) => {
    const timestampMs = atMs + shiftMs;
    const isAvailable = !occupied;
    const place = { latitude, longitude, isAvailable, timestampMs, receivedAtMs: timestampMs };
    const event: LocationEvent = { kind: 'fix', eventId: `${driverId}-${i}`, driverId, ...place };
    return { id: `1700000000000-${i + 1}`, fields: ['event', JSON.stringify(event)] };
  });
}

async function supplyIn({ redis, keys }: RedisMarket): Promise<Record<string, string[]>> {
  const supply: Record<string, string[]> = {};
  for (const [driver, member] of Object.entries(await redis.hgetall(keys.members)))
    (supply[member] ??= []).push(driver);
  for (const [member, drivers] of Object.entries(supply)) {
    expect((await redis.zrange(keys.zoneDrivers(member), '0', '-1')).toSorted()).toEqual(drivers.toSorted());
  }
  return supply;
}

const sorted = (supply: Record<string, string[]>) =>
  Object.fromEntries(Object.entries(supply).map(([zone, drivers]) => [zone, drivers.toSorted()]));

it.skipIf(missing)('says of real cabs at any moment where they are free', { timeout: 120_000 }, async () => {
  await using market = redisMarket();
  const index = sanFrancisco(market.market);
  const traces = files.flatMap(readTrace).toSorted((a, b) => a.atMs - b.atMs);
  const deps = liveDeps(market, { index });
  const handle = createLiveHandler(deps);
  const zoneAt = ({ latitude, longitude }: Fix) => index.at(latitude, longitude)?.zoneId;
  const total: Record<string, number> = {};
  const [first, last] = [traces[0]?.atMs ?? 0, traces.at(-1)?.atMs ?? 0];
  let seen = 0;
  for (let fromMs = first; fromMs < last; fromMs += 3_600_000) {
    const lengthMs = countableAgeMs + 120_000;
    const around = traces.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 2 * lengthMs);
    const untilMs = calmMoment(around, fromMs + lengthMs);
    const slice = around.filter(({ atMs }) => atMs <= untilMs);
    if (slice.length === 0) continue;
    const expected = referenceOf(slice, untilMs, zoneAt);
    await market.flush();
    deps.metrics.events.reset();
    const entries = entriesOf(slice, Date.now() - untilMs);
    await handle(market.keys.streams.locations, entries);
    expect(await outcomesIn(deps)).toMatchObject(positive(expected.outcomes));
    expect(sorted(await supplyIn(market))).toEqual(sorted(expected.supply));
    // The same once more, as after a crash: nothing moves.
    await handle(market.keys.streams.locations, entries);
    expect(sorted(await supplyIn(market))).toEqual(sorted(expected.supply));
    seen += Object.keys(expected.supply).length;
    for (const [name, count] of Object.entries(expected.outcomes)) total[name] = (total[name] ?? 0) + count;
  }
  expect(seen).toBeGreaterThan(50);
  expect(total['applied']).toBeGreaterThan(1000);
  expect(total['implausible']).toBeGreaterThan(0);
  expect(total['late']).toBeGreaterThan(0);
});

async function outcomesIn({ metrics }: ReturnType<typeof liveDeps>): Promise<Record<string, number>> {
  const { values } = await metrics.events.get();
  return Object.fromEntries(values.map(({ labels, value }) => [labels['outcome'] ?? '', value]));
}

function positive(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
