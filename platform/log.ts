import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import type { LogLevel } from './config.ts';

export type { Logger };

/** One JSON object per line on standard output; one line is one event with its fields. */
export function createLogger(name: string, level: LogLevel = 'info', destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    name,
    level,
    base: { name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: errorFields },
    redact: {
      paths: ['authorization', '*.authorization', 'token', '*.token', 'password', '*.password'],
      censor: '[hidden]',
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

const kept = ['type', 'message', 'stack', 'code', 'constraint'] as const;

/**
 * What we log of an error. Everything else a library hangs on it stays out: Postgres tells the values of the row it
 * refused, Redis the arguments of its command, and among those are ids and positions of people.
 */
export function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const all = pino.stdSerializers.err(error);
  const fields = Object.fromEntries(kept.filter((name) => name in all).map((name) => [name, all[name]]));
  return error instanceof AggregateError ? { ...fields, errors: error.errors.map(errorFields) } : fields;
}
