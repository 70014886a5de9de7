import type { Point } from '../../domain/distance.ts';
import { mintToken } from '../../platform/tokens.ts';
import type { LoadOrder } from '../load/http-load.ts';
import type { Rig } from './rig.ts';

const riders = 100;

/** Estimates between these places, by a hundred riders with their own tokens. */
export async function estimateRequests(rig: Rig, places: readonly Point[]): Promise<LoadOrder['requests']> {
  const tokens = await Promise.all(
    Array.from({ length: riders }, (_, i) => mintToken(rig.keys, { role: 'rider', subject: `rider-${i}` })),
  );
  return places.map((pickup, i) => ({
    path: '/api/v1/pricing/estimate',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens[i % riders]}` },
    body: JSON.stringify({
      pickup_location: pickup,
      dropoff_location: places[(i * 7 + 13) % places.length],
      vehicle_type: 'standard',
    }),
  }));
}

/** Quotes that Postgres holds. */
export async function countQuotes(rig: Rig): Promise<number> {
  return Number((await rig.pool.query('select count(*) from quotes')).rows[0]?.count);
}
