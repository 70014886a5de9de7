import type { Request, Response } from 'express';
import type { Redis } from 'ioredis';
import type { DatabaseClock } from './database-clock.ts';
import type { Geography } from './geography.ts';
import type { Guard } from './guard.ts';
import type { PriceBoard } from './price-board.ts';
import type { Check, Probe } from './probe.ts';
import type { Route } from './route.ts';

/** Flips once, when the process is told to stop. */
export interface Lifecycle {
  draining: boolean;
}

export interface HealthDeps {
  readonly lifecycle: Lifecycle;
  readonly geography: Geography;
  readonly board: PriceBoard;
  readonly redis: Redis;
  readonly redisGuard: Guard;
  readonly postgresGuard: Guard;
  readonly clock: DatabaseClock;
  readonly temporalProbe: Probe;
}

export function healthRoutes(deps: HealthDeps): Route[] {
  return [
    { method: 'get', path: '/healthz', access: 'public', handle: alive },
    { method: 'get', path: '/health', access: 'public', handle: alive },
    { method: 'get', path: '/readyz', access: 'public', handle: (_req, res) => ready(deps, res) },
  ];
}

function alive(_req: Request, res: Response): void {
  res.json({ status: 'alive' });
}

/**
 * Ready means: can quote. Without its map and a first look at the prices a process cannot; without a service it can.
 * Answered from what is known, at once: who asks for readiness has no time to wait for a service that hangs.
 */
function ready(deps: HealthDeps, res: Response): void {
  const checks = check(deps);
  const status = readiness(deps.lifecycle, checks);
  res.status(status === 'ready' || status === 'degraded' ? 200 : 503).json({ status, checks });
}

function check(deps: HealthDeps) {
  const { geography, board, redis, redisGuard, postgresGuard, clock, temporalProbe } = deps;
  return {
    geography: checked(geography.loaded, 'loading'),
    prices: checked(geography.loaded && board.loaded, 'loading'),
    redis: checked(redis.status === 'ready' && !redisGuard.away, 'away'),
    postgres: checked(clock.answering && !postgresGuard.away, 'away'),
    temporal: temporalProbe.state,
  };
}

function checked(good: boolean, otherwise: Check): Check {
  return good ? 'ok' : otherwise;
}

function readiness(
  lifecycle: Lifecycle,
  checks: ReturnType<typeof check>,
): 'ready' | 'degraded' | 'starting' | 'draining' {
  if (lifecycle.draining) return 'draining';
  if (checks.geography !== 'ok' || checks.prices !== 'ok') return 'starting';
  return Object.values(checks).every((state) => state === 'ok') ? 'ready' : 'degraded';
}
