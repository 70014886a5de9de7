import { driverTtlMs } from './config.ts';
import { haversineKm, type Point } from './distance.ts';
import { fastestPlausibleMetersPerSecond } from './events.ts';

export interface TimedPlace extends Point {
  readonly atMs: number;
}

/**
 * Whether a driver can have come from `before` to `now`. Anything goes after a driver TTL without a fix; fixes less than a
 * second apart are allowed the way of a second, as positions jitter. The same rule stands in `db/lua/apply-locations.lua`.
 */
export function isPlausible(before: TimedPlace, now: TimedPlace): boolean {
  const elapsedMs = now.atMs - before.atMs;
  if (elapsedMs > driverTtlMs) return true;
  return haversineKm(before, now) * 1000 <= (fastestPlausibleMetersPerSecond * Math.max(elapsedMs, 1000)) / 1000;
}
