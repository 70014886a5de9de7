import { storeDecisions } from '../../db/decisions.ts';
import { storePendingQuotes } from '../../db/quotes.ts';
import { groups, redisKeys } from '../../db/redis-keys.ts';
import { storeSnapshots } from '../../db/snapshots.ts';
import { acknowledge, fieldOf, type StreamEntry } from '../../db/streams.ts';
import { type Parsed, parseEntries } from '../stream-entries.ts';
import { createRefusal, type RecorderDeps } from './history.ts';
import { storeIsolating } from './isolate.ts';
import { decisionRecord, quoteRecord, snapshotRecord } from './record-schemas.ts';

/** What the recorder group does with decisions, snapshots and pending quotes. Doing it twice changes nothing. */
export function createRecordHandler(deps: RecorderDeps) {
  const { redis, pool, market, partitions, metrics } = deps;
  const { quotesPending } = redisKeys(market).streams;
  const refuse = createRefusal(deps, groups.recorder);

  async function storeAll<T>(
    stream: string,
    parsed: ReturnType<typeof parseEntries<T>>,
    store: (values: readonly T[]) => Promise<unknown>,
  ): Promise<void> {
    await storeIsolating<Parsed<T>>(
      parsed.good,
      (some) => store(some.map(({ value }) => value)),
      ({ entry }, reason) => refuse(stream, { entry, reason }),
    );
    for (const one of parsed.bad) await refuse(stream, one);
  }

  async function storePrices(stream: string, entries: readonly StreamEntry[]): Promise<void> {
    const snapshots = parseEntries(entries.filter(isSnapshot), 'snapshot', snapshotRecord);
    const decisions = parseEntries(
      entries.filter((entry) => !isSnapshot(entry)),
      'decision',
      decisionRecord,
    );
    await storeAll(stream, decisions, async (rows) =>
      metrics.rows.inc({ market, stream: 'decisions' }, await storeDecisions(pool, market, rows)),
    );
    await storeAll(stream, snapshots, async (rows) => {
      const times = rows.map(({ atMs }) => atMs);
      const store = () => storeSnapshots(pool, market, rows);
      const stored = await partitions.storing('supply_demand_snapshots', times, store);
      metrics.rows.inc({ market, stream: 'snapshots' }, stored);
    });
  }

  return async (stream: string, entries: readonly StreamEntry[]): Promise<void> => {
    if (stream === quotesPending) {
      const quotes = parseEntries(entries, 'quote', quoteRecord);
      await storeAll(stream, quotes, (rows) => storePendingQuotes(pool, rows));
    } else {
      await storePrices(stream, entries);
    }
    const ids = entries.map(({ id }) => id);
    await acknowledge(redis, stream, groups.recorder, ids);
  };
}

function isSnapshot(entry: StreamEntry): boolean {
  return fieldOf(entry, 'snapshot') !== undefined;
}
