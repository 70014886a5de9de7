import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the live group is asked about: how much, how late, and what was not used. */
export function createIngestionMetrics(registry: Registry) {
  const registers = [registry];
  return {
    batch: new Histogram({
      name: 'equilibrium_ingestion_batch_size',
      help: 'Entries per batch of the live group.',
      labelNames: ['stream'],
      buckets: [1, 5, 20, 50, 100, 200, 500],
      registers,
    }),
    age: new Histogram({
      name: 'equilibrium_ingestion_queue_age_seconds',
      help: 'Age of the oldest entry of a batch when it was applied.',
      labelNames: ['stream'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300],
      registers,
    }),
    events: new Counter({
      name: 'equilibrium_ingestion_events_total',
      help: 'Entries by what became of them.',
      labelNames: ['stream', 'outcome'],
      registers,
    }),
    freshDrivers: new Gauge({
      name: 'equilibrium_fresh_drivers',
      help: 'Drivers with a fix younger than the driver TTL.',
      labelNames: ['market'],
      registers,
    }),
    feedHealthy: new Gauge({
      name: 'equilibrium_feed_healthy',
      help: '1 while the absence of drivers can be believed.',
      labelNames: ['market'],
      registers,
    }),
  };
}

export type IngestionMetrics = ReturnType<typeof createIngestionMetrics>;

/** Adds the counts of a batch, each under its name. */
export function countOutcomes(
  metrics: IngestionMetrics,
  stream: string,
  counts: Readonly<Record<string, number>>,
): void {
  for (const [outcome, count] of Object.entries(counts)) {
    if (count > 0) metrics.events.inc({ stream, outcome }, count);
  }
}
