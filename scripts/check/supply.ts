import { recordedDrivers, type RecordedDriver } from '../../db/checks.ts';
import { type LiveDriver, type LiveInventory, readInventory } from '../../db/live-inventory.ts';
import { driverTtlMs } from '../../domain/config.ts';
import type { CheckDeps } from './deps.ts';
import { Findings } from './findings.ts';

/** P2: the sorted sets of the zones, the drivers' own hashes and the recorded fixes tell the same supply. */
export async function checkSupply({ redis, pool, market }: CheckDeps): Promise<Findings> {
  const findings = new Findings();
  const live = await readInventory(redis, market);
  checkMembership(live, findings);
  const recorded = await recordedDrivers(pool, market, live.nowMs);
  checkRecorded(live, recorded, findings);
  return findings;
}

function isFresh({ nowMs }: LiveInventory, atMs: number | undefined): atMs is number {
  return atMs !== undefined && atMs > nowMs - driverTtlMs;
}

/** The zone × class that must count the driver; undefined for none. */
function memberOf(live: LiveInventory, driver: LiveDriver): string | undefined {
  if (!isFresh(live, driver.atMs) || driver.zoneId === '' || !driver.available) return undefined;
  return `${driver.zoneId}:${driver.vehicleClass}`;
}

function checkMembership(live: LiveInventory, findings: Findings): void {
  const counted = new Map<string, string>();
  for (const [zone, drivers] of live.supply) {
    const fresh = [...drivers].filter(([, atMs]) => isFresh(live, atMs)).map(([id]) => id);
    const due = [...live.drivers].filter(([, driver]) => memberOf(live, driver) === zone).map(([id]) => id);
    const differ = differences(fresh, due);
    findings.expect(differ.length === 0, 'P2', zone, () => `supply ${fresh.length}, drivers ${due.length}: ${differ}`);
    for (const [id, atMs] of drivers) {
      const before = counted.get(id);
      findings.expect(before === undefined, 'P2', zone, () => `counts ${id}, which ${before} counts too`);
      counted.set(id, zone);
      const own = live.drivers.get(id);
      if (own === undefined || own.atMs === atMs || !isFresh(live, atMs)) continue;
      findings.breach('P2', zone, `holds ${id} as of ${atMs}, whose last fix is of ${own.atMs}`);
    }
  }
  for (const [id, driver] of live.drivers) {
    const due = memberOf(live, driver);
    const held = due === undefined ? undefined : live.supply.get(due)?.has(id);
    findings.expect(due === undefined || held === true, 'P2', due ?? id, () => `does not count ${id}`);
    const noted = live.memberOf.get(id);
    findings.expect(due === undefined || noted === due, 'P2', due ?? id, () => `${id} is noted as counted by ${noted}`);
  }
}

function checkRecorded(live: LiveInventory, recorded: readonly RecordedDriver[], findings: Findings): void {
  const known = new Map(recorded.map((driver) => [driver.driverId, driver]));
  for (const [id, driver] of live.drivers) {
    if (!isFresh(live, driver.atMs)) continue;
    findings.expect(known.has(id), 'P2', id, () => 'fresh in the live state, and history holds no usable fix of it');
  }
  for (const driver of recorded) {
    const difference = compare(live.drivers.get(driver.driverId), driver);
    findings.expect(difference === undefined, 'P2', driver.driverId, () => difference ?? '');
  }
}

function compare(live: LiveDriver | undefined, recorded: RecordedDriver): string | undefined {
  if (live?.atMs === undefined) return `history holds a fresh fix of ${recorded.atMs}, the live state none`;
  if (live.atMs !== recorded.atMs) return `last fix of ${live.atMs} live, of ${recorded.atMs} in history`;
  const { latitude, longitude, zoneId } = live;
  const same = recorded.places.some(
    (place) => place.latitude === latitude && place.longitude === longitude && (place.zoneId ?? '') === zoneId,
  );
  if (!same)
    return `is at ${latitude}, ${longitude} (${zoneId}) live, at ${JSON.stringify(recorded.places)} in history`;
  const { available, vehicleClass } = recorded;
  if (available !== null && available !== live.available)
    return `available ${live.available} live, ${available} in history`;
  if (vehicleClass !== null && vehicleClass !== live.vehicleClass) {
    return `a ${live.vehicleClass} live, a ${vehicleClass} in history`;
  }
  return undefined;
}

function differences(held: readonly string[], due: readonly string[]): string {
  const extra = held.filter((id) => !due.includes(id));
  const missing = due.filter((id) => !held.includes(id));
  return [
    ...(extra.length > 0 ? [`counted without cause: ${extra.slice(0, 5).join(', ')}`] : []),
    ...(missing.length > 0 ? [`not counted: ${missing.slice(0, 5).join(', ')}`] : []),
  ].join('; ');
}
