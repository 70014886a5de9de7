import {
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import type { Logger } from 'pino';

export interface GuardOptions {
  readonly failures: number;
  readonly openMs: number;
  /** How long one call may take before it counts as failed. */
  readonly timeoutMs: number;
  /** Which errors say that the service is away; others are the caller's own. */
  readonly isOutage?: (error: unknown) => boolean;
}

/** Keeps an outage from costing every request its timeout: after some failures calls fail at once for a while. */
export interface Guard {
  run<T>(call: () => Promise<T>): Promise<T>;
  readonly away: boolean;
  /** When it is worth asking again: what is left of the breaker's pause, or a few seconds. */
  readonly retryAfterSeconds: number;
  /** An independent proof that the service is back closes the breaker before its time. */
  reset(): void;
}

/** After a failure that did not open the breaker. */
const retryAfterSeconds = 5;

export const redisGuardOptions: GuardOptions = { failures: 3, openMs: 30_000, timeoutMs: 500 };
export const postgresGuardOptions: GuardOptions = { failures: 5, openMs: 60_000, timeoutMs: 1_000 };

export function createGuard(name: string, options: GuardOptions, log: Pick<Logger, 'warn' | 'info'>): Guard {
  const { isOutage = () => true } = options;
  const breaker = circuitBreaker(handleWhen(isOutage), {
    halfOpenAfter: options.openMs,
    breaker: new ConsecutiveBreaker(options.failures),
  });
  let openUntilMs = 0;
  breaker.onBreak((reason) => {
    // Isolating is how a breaker is closed by hand.
    if ('isolated' in reason) return;
    openUntilMs = performance.now() + options.openMs;
    log.warn({ service: name }, 'breaker opened');
  });
  breaker.onReset(() => log.info({ service: name }, 'breaker closed'));
  const policy = wrap(breaker, timeout(options.timeoutMs, TimeoutStrategy.Aggressive));
  return {
    run: (call) => policy.execute(call),
    get away() {
      return breaker.state === CircuitState.Open;
    },
    get retryAfterSeconds() {
      if (breaker.state !== CircuitState.Open) return retryAfterSeconds;
      return Math.max(1, Math.ceil((openUntilMs - performance.now()) / 1_000));
    },
    reset() {
      if (breaker.state !== CircuitState.Closed) breaker.isolate().dispose();
    },
  };
}

/** A statement that Postgres refused says nothing about its health: bad data (22, 23) or a fault of ours (42). */
export function isPostgresOutage(error: unknown): boolean {
  return !/^(22|23|42)/.test(sqlState(error) ?? '');
}

export function isBadRow(error: unknown): boolean {
  return /^(22|23)/.test(sqlState(error) ?? '');
}

function sqlState(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
