import type { Client } from '@temporalio/client';
import type { Redis } from 'ioredis';
import pLimit from 'p-limit';
import { activeZones, type ChangedZone, changedZones, markSignalled, observeZones } from '../../db/observations.ts';
import { decayPeriodMs } from '../../domain/config.ts';
import { type MarketId, parseZoneKey, type ZoneKey } from '../../domain/ids.ts';
import type { Observation } from '../../domain/observation.ts';
import { signalZone } from './signal-zone.ts';
import { SignalWindow } from './signal-window.ts';

export interface SignallerDeps {
  readonly market: MarketId;
  readonly redis: Redis;
  readonly client: Client;
  readonly taskQueue: string;
  readonly clock: () => number;
  readonly window: SignalWindow;
  /** Called with what could not be sent; the zones stay in the changed set. */
  readonly onError: (error: unknown) => void;
  readonly onSent?: (zones: number) => void;
}

const concurrency = 32;
const mostPerRound = 2_000;
const startsPerSecond = 100;
/** Zones are vouched for a little early, so that no period passes without a word, and zones that woke together drift apart. */
const keepAliveMs = 0.8 * decayPeriodMs;

/** Tells each changed zone its newest observation; at most one send per zone and window, and never a backlog. */
export class Signaller {
  readonly #deps: SignallerDeps;
  readonly #limit = pLimit(concurrency);
  readonly #sentAt = new Map<ZoneKey, number>();
  readonly #sending = new Set<ZoneKey>();
  #startsLeft = startsPerSecond;
  #startsFrom = 0;
  #keepAlivesLeft = 0;
  #keepAlivesFrom = 0;
  #notBefore = 0;

  constructor(deps: SignallerDeps) {
    this.#deps = deps;
  }

  /** One look at the changed set and at who was silent for a period. Resolves when all sends have ended. */
  async round(): Promise<number> {
    const { clock, market, redis } = this.#deps;
    const nowMs = clock();
    if (nowMs < this.#notBefore) return 0;
    const [changed, active] = await Promise.all([changedZones(redis, market), activeZones(redis, market)]);
    this.#deps.window.zones(active.size);
    const due = new Set(this.#due(changed, active, nowMs));
    const silent = this.#silent(changed, active, nowMs);
    if (due.size + silent.length === 0) return 0;
    const seen = await observeZones(redis, market, [...due, ...silent]);
    const sent = await Promise.all([...seen].map(([zone, said]) => this.#send(zone, said, due.has(zone))));
    const done = sent.filter((one) => one !== undefined);
    await markSignalled(redis, market, done, nowMs);
    this.#deps.onSent?.(done.length);
    this.#forget(nowMs);
    return done.length;
  }

  /** Changed zones whose window has passed: a zone that was quiet goes at once. */
  #due(changed: readonly ChangedZone[], active: ReadonlyMap<ZoneKey, number>, nowMs: number): ZoneKey[] {
    const windowMs = this.#deps.window.lengthMs;
    return changed
      .map(({ zone }) => zone)
      .filter((zone) => !this.#sending.has(zone) && nowMs - (this.#sentAt.get(zone) ?? 0) >= windowMs)
      .toSorted((a, b) => (this.#sentAt.get(a) ?? 0) - (this.#sentAt.get(b) ?? 0))
      .filter((zone) => active.has(zone) || this.#mayStart(nowMs))
      .slice(0, mostPerRound);
  }

  /** Awake zones that heard nothing for long: a steady price stays fresh only while it is vouched for. Longest first, spread. */
  #silent(changed: readonly ChangedZone[], active: ReadonlyMap<ZoneKey, number>, nowMs: number): ZoneKey[] {
    const waiting = new Set(changed.map(({ zone }) => zone));
    const quiet = [...active].filter(
      ([zone, atMs]) => nowMs - atMs >= keepAliveMs && !waiting.has(zone) && !this.#sending.has(zone),
    );
    const most = this.#mayVouch(active.size, nowMs);
    const due = quiet.toSorted(([, a], [, b]) => a - b).filter(([, at], i) => i < most || nowMs - at >= decayPeriodMs);
    this.#keepAlivesLeft = Math.max(0, this.#keepAlivesLeft - due.length);
    return due.map(([zone]) => zone);
  }

  /** Keep-alives at an even pace: as many as all awake zones need, however many of them fall due at once. */
  #mayVouch(zones: number, nowMs: number): number {
    const since = Math.min(nowMs - this.#keepAlivesFrom, keepAliveMs);
    this.#keepAlivesFrom = nowMs;
    // What was saved up while nobody was due must not be spent at once.
    const most = Math.max(1, (zones * 1_000) / keepAliveMs);
    this.#keepAlivesLeft = Math.min(most, this.#keepAlivesLeft + (since * zones) / keepAliveMs);
    return Math.floor(this.#keepAlivesLeft);
  }

  /** New workflows are the dearest signals; a city that wakes at once is spread over seconds. */
  #mayStart(nowMs: number): boolean {
    if (nowMs - this.#startsFrom >= 1_000) {
      this.#startsFrom = nowMs;
      this.#startsLeft = startsPerSecond;
    }
    this.#startsLeft -= 1;
    return this.#startsLeft >= 0;
  }

  /** A keep-alive tells no news: it opens no window, or a change right after it would wait for the window's end. */
  async #send(zone: ZoneKey, observation: Observation, news: boolean): Promise<ChangedZone | undefined> {
    const { client, market, taskQueue, clock, onError } = this.#deps;
    const address = parseZoneKey(zone);
    if (address === undefined) return undefined;
    this.#sending.add(zone);
    try {
      await this.#limit(() => signalZone(client, { marketId: market, ...address }, observation, taskQueue));
      if (news) this.#sentAt.set(zone, clock());
      return { zone, rev: observation.rev };
    } catch (error) {
      // Busy, exhausted or unavailable: wait a moment, then the newest observation goes, not this one.
      this.#notBefore = clock() + 500 + Math.random() * 500;
      onError(error);
      return undefined;
    } finally {
      this.#sending.delete(zone);
    }
  }

  #forget(nowMs: number): void {
    for (const [zone, atMs] of this.#sentAt) if (nowMs - atMs > 2 * decayPeriodMs) this.#sentAt.delete(zone);
  }
}
