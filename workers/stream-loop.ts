import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { claimAbandoned, createGroups, readGroup, type Reader, type StreamEntry } from '../db/streams.ts';
import type { MarketId } from '../domain/ids.ts';
import type { Logger } from '../platform/log.ts';

export interface StreamLoopDeps {
  readonly redis: Redis;
  /** A connection of its own for reads that wait; the loop closes it. */
  readonly blocking: Redis;
  readonly market: MarketId;
  readonly streams: readonly string[];
  readonly reader: Reader;
  readonly log: Logger;
  /** Does everything with the entries and acknowledges them last. When it throws, the same entries come again. */
  readonly handle: (stream: string, entries: readonly StreamEntry[]) => Promise<void>;
  readonly blockMs?: number;
  readonly claimEveryMs?: number;
  readonly claimIdleMs?: number;
}

export interface StreamLoop {
  /** Resolves when the batch in hand is finished; one that cannot be finished stays pending for the next consumer. */
  stop(): Promise<void>;
}

const longestPauseMs = 5_000;
const stopWithinMs = 3_000;

/** Reads streams as one consumer of a group, one batch at a time and at most one ahead, so memory is bounded by two. */
export function startStreamLoop(deps: StreamLoopDeps): StreamLoop {
  const { redis, blocking, market, streams, reader, log, handle } = deps;
  const { blockMs = 500, claimEveryMs = 10_000, claimIdleMs = 30_000 } = deps;
  const stopping = new AbortController();
  const stopped = () => stopping.signal.aborted;
  let failures = 0;
  let claimAt = 0;
  let ahead: ReturnType<typeof readGroup> | undefined;

  async function finish(stream: string, entries: readonly StreamEntry[]): Promise<void> {
    while (!stopped()) {
      try {
        await handle(stream, entries);
        recovered();
        return;
      } catch (error) {
        await pause(error);
      }
    }
  }

  async function round(): Promise<void> {
    // What was read ahead comes first: to a claim it might look abandoned.
    if (ahead === undefined && Date.now() >= claimAt) {
      for (const stream of streams) {
        for await (const entries of claimAbandoned(redis, stream, reader, claimIdleMs)) {
          await finish(stream, entries);
          if (stopped()) return;
        }
      }
      claimAt = Date.now() + claimEveryMs;
    }
    const reading = ahead ?? readGroup(blocking, streams, reader, blockMs);
    ahead = undefined;
    const batches = await reading;
    // Behind a full batch waits more: Redis can hand it over while this one is worked on.
    const behind = batches.some(([, entries]) => entries.length >= reader.count);
    if (behind && !stopped() && Date.now() < claimAt) {
      ahead = readGroup(blocking, streams, reader, blockMs);
      ahead.catch(() => {}); // heard in the next round
    }
    for (const [stream, entries] of batches) await finish(stream, entries);
  }

  /** One attempt: what it cannot finish stays pending for the next consumer. */
  async function finishAhead(): Promise<void> {
    for (const [stream, entries] of (await ahead) ?? []) await handle(stream, entries);
  }

  /** An outage is one line at its start and one at its end. */
  async function pause(cause: unknown): Promise<void> {
    if (stopped()) return;
    if (failures === 0) log.warn({ market, group: reader.group, error: String(cause) }, 'stream loop waits');
    failures += 1;
    const most = Math.min(longestPauseMs, 100 * 2 ** Math.min(failures, 10));
    await sleep(most * (0.5 + Math.random() / 2), undefined, { signal: stopping.signal }).catch(() => {});
  }

  function recovered(): void {
    if (failures > 0) log.info({ market, group: reader.group, failures }, 'stream loop goes on');
    failures = 0;
  }

  async function run(): Promise<void> {
    while (!stopped()) {
      try {
        await round();
        recovered();
      } catch (error) {
        // A flush takes the groups with the streams. They are made again from the beginning, so nothing is skipped.
        if (groupIsGone(error)) await createGroups(redis, market).catch(pause);
        else await pause(error);
      }
    }
    await finishAhead().catch(() => {});
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      const late = sleep(stopWithinMs, 'late', { ref: false });
      if ((await Promise.race([running, late])) === 'late') log.warn({ market }, 'stream loop left behind');
      blocking.disconnect();
    },
  };
}

function groupIsGone(error: unknown): boolean {
  return error instanceof Error && /^(NOGROUP|UNBLOCKED)/.test(error.message);
}
