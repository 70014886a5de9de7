import { z } from 'zod';
import { vehicleTypes } from '../domain/ids.ts';

/** Degrees; zod's number refuses text, NaN and infinities such as 1e400. */
export const latitude = z.number().min(-90).max(90);
export const longitude = z.number().min(-180).max(180);

export const Place = z.strictObject({ latitude, longitude });

export const vehicleType = z.enum(vehicleTypes);

/** Ids of riders, drivers and orders in the calling app. */
export const appId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'must be 1–64 letters, digits, "_", "." or "-"');

export const eventId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/, 'must be 1–128 letters, digits, "_", ".", ":" or "-"');

const mostAheadMs = 2 * 60_000;
const mostBehindMs = 10 * 60_000;

/** RFC 3339 with an offset, at most 2 min ahead of us and 10 min behind; ms since 1970. */
export const eventTime = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .refine((at) => {
    const behind = Date.now() - at;
    return behind <= mostBehindMs && behind >= -mostAheadMs;
  }, 'must be at most 2 minutes ahead and 10 minutes behind');
