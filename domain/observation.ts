/** Whether the absence of drivers can be believed. */
export type Feed = 'healthy' | 'unknown';

/**
 * What ingestion tells a zone: absolute and idempotent, newest (epoch, rev) wins.
 * `demandTotal` counts tenths and only grows within an epoch; the zone adds the difference to what it saw last.
 */
export interface Observation {
  readonly epoch: number;
  readonly rev: number;
  /** Distinct fresh available drivers of the class in the zone. */
  readonly supply: number;
  /** Until when the driver feed vouches for `supply`, ms since 1970. */
  readonly supplyAsOfMs: number;
  readonly feed: Feed;
  readonly demandTotal: number;
  /** When ingestion read these figures, ms since 1970. */
  readonly observedAtMs: number;
}

/** What a rider did, in rising order of intent. */
export const demandKinds = ['app_open', 'search', 'estimate', 'ride_request'] as const;
export type DemandKind = (typeof demandKinds)[number];

/** Whole tenths of one ride request. */
export function weightTenths(kind: DemandKind): number {
  switch (kind) {
    case 'app_open':
    case 'search':
      return 1;
    case 'estimate':
      return 2;
    case 'ride_request':
      return 10;
    default:
      return kind satisfies never;
  }
}

/** A rider counts once per zone, class and bucket of this length. */
export const demandBucketMs = 5 * 60_000;

/** Events older than this go to history only, never into counters. */
export const countableAgeMs = 10 * 60_000;
