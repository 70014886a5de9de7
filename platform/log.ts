import { pino, type Logger } from 'pino';
import type { LogLevel } from './config.ts';

export type { Logger };

/** One JSON object per line on standard output; one line is one event with its fields. */
export function createLogger(name: string, level: LogLevel = 'info'): Logger {
  return pino({
    name,
    level,
    base: { name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['authorization', '*.authorization', 'token', '*.token', 'password', '*.password'],
      censor: '[hidden]',
    },
  });
}
