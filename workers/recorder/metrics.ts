import { Counter, type Registry } from 'prom-client';

export function createRecorderMetrics(registry: Registry) {
  const registers = [registry];
  return {
    rows: new Counter({
      name: 'equilibrium_recorder_rows_total',
      help: 'Rows that were new to Postgres.',
      labelNames: ['market', 'stream'],
      registers,
    }),
    deadLetters: new Counter({
      name: 'equilibrium_dead_letters_total',
      help: 'Entries that went to the dead-letter stream.',
      labelNames: ['market'],
      registers,
    }),
    trimmed: new Counter({
      name: 'equilibrium_stream_entries_trimmed_total',
      help: 'Entries removed from the streams after every group had acknowledged them.',
      labelNames: ['market'],
      registers,
    }),
  };
}

export type RecorderMetrics = ReturnType<typeof createRecorderMetrics>;
