import { describe, expect, it } from 'vitest';
import type { PricingDeps } from '../../activities/pricing.ts';
import { publish, readCounts, readEntries, refresh } from '../../db/board.ts';
import { type MarketId, type ZoneKey } from '../../domain/ids.ts';
import { boardEntry, snapshotOf } from '../../domain/zone-board.ts';
import { decision, entry, key, nowMs, zone } from '../db/decisions-of-harbour.ts';
import { redisMarket } from '../db/redis-market.ts';
import { freshMarketId } from '../harness.ts';
import { FakeBoard } from './zone-fixture.ts';

interface Board extends AsyncDisposable {
  readonly access: PricingDeps['board'];
  readonly market: MarketId;
  lose(): Promise<void>;
}

function realBoard(): Board {
  const city = redisMarket();
  const { redis, market } = city;
  return {
    market,
    access: {
      publish: (_market, made, snapshot) => publish(redis, market, made, snapshot),
      refresh: (_market, shown, snapshot) => refresh(redis, market, shown, snapshot),
      counts: (_market, zones) => readCounts(redis, market, zones),
      entry: async (_market, one) => (await readEntries(redis, market, [one as ZoneKey]))[0],
    },
    lose: () => city.flush(),
    [Symbol.asyncDispose]: () => city[Symbol.asyncDispose](),
  };
}

function fakeBoard(): Board {
  const fake = new FakeBoard();
  return {
    market: freshMarketId(),
    access: fake.access,
    lose: async () => fake.entries.clear(),
    [Symbol.asyncDispose]: async () => {},
  };
}

// The workflow tests stand on the fake: it has to keep the rules of the Lua scripts.
describe.each([
  ['in Redis', realBoard],
  ['of the workflow tests', fakeBoard],
])('the board %s', (_name, open) => {
  it('takes a version once and answers every other writer with what it holds', async () => {
    await using board = open();
    const { access, market } = board;
    expect(await access.publish(market, entry(decision(1, 150)), null)).toMatchObject({ won: true });
    const late = await access.publish(market, entry(decision(1, 180)), null);
    expect(late).toEqual({ won: false, entry: entry(decision(1, 150)) });
    await access.publish(market, entry(decision(2, 170)), null);
    const behind = await access.refresh(market, entry(decision(1, 150)), snapshotOf(zone, nowMs));
    expect(behind).toMatchObject({ kind: 'ahead', entry: { version: 2, multiplier: 170 } });
  });

  it('refreshes counts under the same decision, and never with older ones', async () => {
    await using board = open();
    const { access, market } = board;
    await access.publish(market, entry(decision(1, 150)), null);
    const shown = (asOfMs: number, supply: number) => {
      const made = entry(decision(1, 150));
      return { ...made, asOfMs, counts: { ...made.counts, supply } };
    };
    for (const [asOfMs, supply] of [
      [nowMs + 30_000, 7],
      [nowMs + 10_000, 3],
    ] as const) {
      const answer = await access.refresh(market, shown(asOfMs, supply), snapshotOf(zone, asOfMs));
      expect(answer).toEqual({ kind: 'refreshed' });
    }
    const held = await access.entry(market, key);
    expect(held).toMatchObject({ asOfMs: nowMs + 30_000, counts: { supply: 7 }, decision: decision(1, 150) });
  });

  it('knows a new zone at once, and tells a zone whose version it lost', async () => {
    await using board = open();
    const { access, market } = board;
    expect(await access.refresh(market, boardEntry(zone, nowMs), snapshotOf(zone, nowMs))).toEqual({
      kind: 'refreshed',
    });
    expect(await access.entry(market, key)).toMatchObject({ version: 0, decision: null });
    await access.publish(market, entry(decision(1, 150)), null);
    await board.lose();
    const lost = await access.refresh(market, entry(decision(1, 150)), snapshotOf(zone, nowMs));
    expect(lost).toEqual({ kind: 'lost' });
  });
});
