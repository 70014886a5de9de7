import { applyLocations, type LiveFix } from '../../db/live-state.ts';
import { type LocationRow, storeLocations } from '../../db/locations.ts';
import type { Point } from '../../domain/distance.ts';
import type { LocationEvent } from '../../domain/events.ts';
import { type MarketId, parseMarketId, type ZoneId } from '../../domain/ids.ts';
import { bareCell, zoneCell } from '../../geo/cells.ts';
import type { Rig } from './rig.ts';
import { Fleet } from './traffic.ts';

const luaBatch = 500;
const insertBatch = 1_000;

/** Fixes per second of the Lua call alone: one after the other, on a market of its own, with zones found beforehand. */
export async function bareLua(rig: Rig, places: readonly Point[], forMs: number): Promise<number> {
  const fleet = new Fleet(`lua-${Date.now()}`, places);
  let sequence = 0;
  return repeat(forMs, async () => {
    const fixes = fleet.fixes(luaBatch).map((event) => liveFix(event, `${event.receivedAtMs}-${(sequence += 1)}`));
    return { count: fixes.length, run: () => applyLocations(rig.redis, 'bare' as MarketId, fixes) };
  });
}

/** Rows per second of the insert alone, into the same table, with everything about a row known beforehand. */
export async function bareInsert(rig: Rig, places: readonly Point[], forMs: number): Promise<number> {
  const fleet = new Fleet(`insert-${Date.now()}`, places);
  const marketId = parseMarketId('bare') ?? '';
  return repeat(forMs, async () => {
    const rows = fleet.fixes(insertBatch).map((event): LocationRow => {
      return { event, marketId, cell: zoneCell(event), zoneId: bareCell(event), flags: [] };
    });
    return { count: rows.length, run: () => storeLocations(rig.pool, rows) };
  });
}

/** Only the time within `run` counts; making the work does not. */
async function repeat(
  forMs: number,
  prepare: () => Promise<{ count: number; run: () => Promise<unknown> }>,
): Promise<number> {
  let [spentMs, done] = [0, 0];
  while (spentMs < forMs) {
    const { count, run } = await prepare();
    const began = performance.now();
    await run();
    spentMs += performance.now() - began;
    done += count;
  }
  return (1000 * done) / spentMs;
}

function liveFix(event: LocationEvent, streamId: string): LiveFix {
  const { driverId, latitude, longitude, vehicleType, heading, speed, timestampMs: atMs } = event;
  const zoneId = bareCell(event) as ZoneId;
  const place = { latitude, longitude, zoneId };
  return { streamId, driverId, kind: 'fix', atMs, ...place, vehicleType, available: true, heading, speed };
}
