import type { DemandKind } from './observation.ts';
import type { VehicleType } from './ids.ts';

/**
 * A driver's position as it stands in the stream `driver-locations`, one JSON object in the field `event`.
 * `left` says that the driver crossed into another market; it carries the position and time of the crossing.
 */
export interface LocationEvent {
  readonly kind: 'fix' | 'left';
  readonly eventId: string;
  readonly driverId: string;
  readonly latitude: number;
  readonly longitude: number;
  /** m/s, 0–120. */
  readonly speed?: number | undefined;
  /** Degrees clockwise from north, 0 ≤ heading < 360. */
  readonly heading?: number | undefined;
  /** Radius of uncertainty in metres. */
  readonly accuracy?: number | undefined;
  readonly orderId?: string | undefined;
  readonly isAvailable?: boolean | undefined;
  readonly vehicleType?: VehicleType | undefined;
  /** What the app calls this fix, for history: `location`, `heartbeat`, … */
  readonly eventType?: string | undefined;
  /** When the device says it was there, ms since 1970. */
  readonly timestampMs: number;
  /** When the API took it. */
  readonly receivedAtMs: number;
}

/** A rider's interest as it stands in the stream `demand-events`, one JSON object in the field `event`. */
export interface DemandEvent {
  readonly eventId: string;
  readonly kind: DemandKind;
  /** Keyed hash of the rider's id: equal for equal riders, never the id. */
  readonly rider: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly vehicleType: VehicleType;
  readonly timestampMs: number;
  readonly receivedAtMs: number;
}

/** Fixes worse than this are kept in history but not used for supply. */
export const worstUsableAccuracyMeters = 500;

/** A jump faster than this from the last recorded fix is implausible. */
export const fastestPlausibleMetersPerSecond = 100;
