import type { Request, Response } from 'express';
import { z } from 'zod';
import { actingFor, callerOf } from './auth.ts';
import { parse } from './body.ts';
import type { EventLog } from './event-log.ts';
import type { Geography } from './geography.ts';
import { Problem } from './problem.ts';
import type { Route } from './route.ts';
import { appId, eventId, eventTime, latitude, longitude, vehicleType } from './schemas.ts';

const Demand = z.strictObject({
  event_id: eventId,
  kind: z.enum(['app_open', 'search', 'ride_request']),
  latitude,
  longitude,
  timestamp: eventTime.optional(),
  vehicle_type: vehicleType.default('standard'),
  user_id: appId.optional(),
});

export interface DemandDeps {
  readonly geography: Geography;
  readonly events: EventLog;
  readonly riderHash: (rider: string) => string;
}

export function demandRoutes(deps: DemandDeps): Route[] {
  return [
    {
      method: 'post',
      path: '/api/v1/demand-events',
      access: ['rider', 'service'],
      body: 'json',
      handle: (req, res) => postDemand(deps, req, res),
    },
  ];
}

async function postDemand({ geography, events, riderHash }: DemandDeps, req: Request, res: Response): Promise<void> {
  const caller = callerOf(res);
  const asked = parse(Demand, req.body);
  const rider = actingFor(caller, asked.user_id);
  if (caller.role === 'rider' && asked.kind === 'ride_request') {
    throw new Problem('forbidden', { detail: 'a rider requests a ride by accepting a quote' });
  }
  const place = geography.map().at(asked.latitude, asked.longitude);
  if (place === undefined) throw new Problem('outside-service-area');
  const nowMs = Date.now();
  await events.demand(place.marketId, {
    eventId: asked.event_id,
    kind: asked.kind,
    rider: riderHash(rider),
    latitude: asked.latitude,
    longitude: asked.longitude,
    vehicleType: asked.vehicle_type,
    timestampMs: asked.timestamp ?? nowMs,
    receivedAtMs: nowMs,
  });
  res.status(202).json({ event_id: asked.event_id });
}
