import { z } from 'zod';
import { fieldOf, type StreamEntry } from '../db/streams.ts';
import type { DemandEvent, LocationEvent } from '../domain/events.ts';
import { parseDriverId, vehicleTypes } from '../domain/ids.ts';
import { demandKinds } from '../domain/observation.ts';

const id = z.string().min(1).max(128);
const timeMs = z.int().min(0);
const latitude = z.number().min(-90).max(90);
const longitude = z.number().min(-180).max(180);

export const locationEvent = z.object({
  kind: z.enum(['fix', 'left']),
  eventId: id,
  driverId: z.string().refine((text) => parseDriverId(text) !== undefined, 'not a driver id'),
  latitude,
  longitude,
  speed: z.number().min(0).optional(),
  heading: z.number().min(0).lt(360).optional(),
  accuracy: z.number().min(0).optional(),
  orderId: z.string().optional(),
  isAvailable: z.boolean().optional(),
  vehicleType: z.enum(vehicleTypes).optional(),
  eventType: z.string().optional(),
  timestampMs: timeMs,
  receivedAtMs: timeMs,
}) satisfies z.ZodType<LocationEvent>;

export const demandEvent = z.object({
  eventId: id,
  kind: z.enum(demandKinds),
  rider: id,
  latitude,
  longitude,
  vehicleType: z.enum(vehicleTypes),
  timestampMs: timeMs,
  receivedAtMs: timeMs,
}) satisfies z.ZodType<DemandEvent>;

export interface Parsed<T> {
  readonly entry: StreamEntry;
  readonly value: T;
}

export interface Unparseable {
  readonly entry: StreamEntry;
  readonly reason: string;
}

/** Splits entries into what the schema accepts and what no retry can mend. */
export function parseEntries<T>(
  entries: readonly StreamEntry[],
  field: string,
  schema: z.ZodType<T>,
): { readonly good: Parsed<T>[]; readonly bad: Unparseable[] } {
  const good: Parsed<T>[] = [];
  const bad: Unparseable[] = [];
  for (const entry of entries) {
    const result = parseText(fieldOf(entry, field), schema);
    if (typeof result === 'string') bad.push({ entry, reason: result });
    else good.push({ entry, value: result.value });
  }
  return { good, bad };
}

/** The value, or why there is none. */
function parseText<T>(text: string | undefined, schema: z.ZodType<T>): { value: T } | string {
  if (text === undefined) return 'the field is missing';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { value: parsed.data };
  return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

/** When the entry was stored, ms since 1970: the first half of its id. */
export function storedAtMs(entry: StreamEntry): number {
  return Number(entry.id.slice(0, entry.id.indexOf('-')));
}
