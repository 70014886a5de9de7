import type { Request, Response } from 'express';
import { z } from 'zod';
import type { LocationEvent } from '../domain/events.ts';
import type { MarketId } from '../domain/ids.ts';
import { callerOf } from './auth.ts';
import { fieldErrors, ndjson, parse } from './body.ts';
import { type EventLog, groupByMarket } from './event-log.ts';
import type { Geography } from './geography.ts';
import { newId } from './ids.ts';
import { Problem, type ProblemCode } from './problem.ts';
import { pathParameter, type Route } from './route.ts';
import { appId, eventId, eventTime, latitude, longitude, vehicleType } from './schemas.ts';

/** Further off than this, a fix names no place. */
const worstAccuracyMetres = 100_000;

const Fix = z.strictObject({
  latitude,
  longitude,
  /** m/s. */
  speed: z.number().min(0).max(120).transform(storable).optional(),
  /** Degrees clockwise from north; what single precision cannot tell from a full turn is north. */
  heading: z
    .number()
    .min(0)
    .lt(360)
    .transform((degrees) => (Math.fround(degrees) < 360 ? storable(degrees) : 0))
    .optional(),
  /** Radius of uncertainty in metres. */
  accuracy: z.number().min(0).max(worstAccuracyMetres).transform(storable).optional(),
  order_id: appId.optional(),
  is_available: z.boolean().optional(),
  vehicle_type: vehicleType.optional(),
  event_type: z
    .string()
    .regex(/^[a-z][a-z0-9_.-]{0,63}$/, 'must be 1–64 lower-case letters, digits, "_", "." or "-"')
    .optional(),
  event_id: eventId.optional(),
  timestamp: eventTime.optional(),
});
const DriverFix = Fix.extend({ driver_id: appId });

/** Not even single precision tells less than this from nothing, and some stores refuse it. */
const leastNormal = 2 ** -126;

/** For measures from 0 up. */
function storable(measure: number): number {
  return measure < leastNormal ? 0 : measure;
}

const mostEvents = 1_000;
const Bulk = z.strictObject({ events: z.array(z.unknown()).min(1).max(mostEvents) });

type DriverFix = z.output<typeof DriverFix>;

export interface LocationDeps {
  readonly geography: Geography;
  readonly events: EventLog;
}

interface Reject {
  readonly index: number;
  readonly code: ProblemCode;
  readonly detail: string;
}

export function locationRoutes(deps: LocationDeps): Route[] {
  return [
    {
      method: 'post',
      path: '/api/v1/drivers/:driver_id/location',
      access: ['driver', 'service'],
      body: 'json',
      handle: (req, res) => postLocation(deps, req, res),
    },
    {
      method: 'post',
      // The colon is part of the path, not a parameter.
      path: '/api/v1/locations\\:batch',
      access: ['service'],
      body: 'bulk',
      handle: (req, res) => postLocations(deps, req, res),
    },
  ];
}

async function postLocation({ geography, events }: LocationDeps, req: Request, res: Response): Promise<void> {
  const caller = callerOf(res);
  const driverId = pathParameter(req, 'driver_id');
  if (caller.role === 'driver' && caller.subject !== driverId) {
    throw new Problem('forbidden', { detail: 'a driver may only report its own position' });
  }
  parse(z.strictObject({ driver_id: appId }), { driver_id: driverId });
  const event = toEvent({ ...parse(Fix, req.body), driver_id: driverId }, Date.now());
  const { placed, outside } = await place(geography, events, [event]);
  if (outside.length > 0) throw new Problem('outside-service-area');
  await events.locations(groupByMarket(placed));
  res.status(202).json({ event_id: event.eventId });
}

async function postLocations({ geography, events }: LocationDeps, req: Request, res: Response): Promise<void> {
  const rejected: Reject[] = [];
  const indexOf = new Map<LocationEvent, number>();
  const nowMs = Date.now();
  for (const [index, item] of bulkItems(req).entries()) {
    const result = item === brokenLine ? undefined : DriverFix.safeParse(item);
    if (result === undefined) {
      rejected.push({ index, code: 'malformed-json', detail: 'the line is not a JSON value' });
    } else if (result.success) {
      indexOf.set(toEvent(result.data, nowMs), index);
    } else {
      const [first] = fieldErrors(result.error);
      rejected.push({ index, code: 'invalid-request', detail: `${first?.path ?? ''}: ${first?.message ?? ''}` });
    }
  }
  const { placed, outside } = await place(geography, events, [...indexOf.keys()]);
  for (const event of outside) {
    rejected.push({
      index: indexOf.get(event) ?? -1,
      code: 'outside-service-area',
      detail: 'the place lies outside every market',
    });
  }
  if (placed.length > 0) await events.locations(groupByMarket(placed));
  rejected.sort((one, other) => one.index - other.index);
  res.status(202).json({ accepted: placed.length, rejected });
}

const brokenLine = Symbol('a line that is not JSON');

function bulkItems(req: Request): readonly unknown[] {
  if (req.is(ndjson) === false || typeof req.body !== 'string') return parse(Bulk, req.body).events;
  const lines = req.body.split('\n').filter((line) => line.trim() !== '');
  return parse(Bulk, { events: lines.map(parseLine) }).events;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return brokenLine;
  }
}

function toEvent(fix: DriverFix, nowMs: number): LocationEvent {
  return {
    kind: 'fix',
    eventId: fix.event_id ?? newId(),
    driverId: fix.driver_id,
    latitude: fix.latitude,
    longitude: fix.longitude,
    speed: fix.speed,
    heading: fix.heading,
    accuracy: fix.accuracy,
    orderId: fix.order_id,
    isAvailable: fix.is_available,
    vehicleType: fix.vehicle_type,
    eventType: fix.event_type,
    timestampMs: fix.timestamp ?? nowMs,
    receivedAtMs: nowMs,
  };
}

interface Placed {
  readonly placed: readonly { readonly market: MarketId; readonly event: LocationEvent }[];
  readonly outside: readonly LocationEvent[];
}

/** A driver who left the serviced area is still told to the market it was last seen in, which then stops counting it. */
async function place(geography: Geography, events: EventLog, fixes: readonly LocationEvent[]): Promise<Placed> {
  const map = geography.map();
  const places = fixes.map((event) => ({ event, market: map.at(event.latitude, event.longitude)?.marketId }));
  const strangers = places.filter(({ market }) => market === undefined).map(({ event }) => event);
  const last = strangers.length === 0 ? [] : await events.driverMarkets(strangers.map(({ driverId }) => driverId));
  const lastMarket = new Map(
    strangers.map((event, i) => {
      const market = last[i];
      // A market that is served no more has nobody to read what we would put into its stream.
      return [event, market === undefined || map.market(market) === undefined ? undefined : market];
    }),
  );
  const placed = places.flatMap(({ event, market = lastMarket.get(event) }) =>
    market === undefined ? [] : [{ market, event }],
  );
  return { placed, outside: strangers.filter((event) => lastMarket.get(event) === undefined) };
}
