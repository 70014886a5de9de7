import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { priceTtlMs } from '../../domain/config.ts';
import type { Decision } from '../../domain/decision.ts';
import { parseZoneId } from '../../domain/ids.ts';
import type { Observation } from '../../domain/observation.ts';
import { clearOverride, reprice, setOverride, state } from '../../workflows/zone-messages.ts';
import { hasTimeSkipping, minutes, newWorld, timeSkipping, withWorker, type World } from './zone-fixture.ts';

const periodMs = 30_000;

describe.runIf(hasTimeSkipping())('what a zone promises', () => {
  // A server each: what a zone of one test leaves behind must not hold up the skipped time of another.
  let env: TestWorkflowEnvironment;
  beforeEach(async () => {
    env = await timeSkipping();
  });
  afterEach(() => env.teardown());

  function expectNoGap(decisions: readonly Decision[]): void {
    expect(decisions.map(({ version }) => version)).toEqual(decisions.map((_, i) => i + 1));
    decisions.forEach((decision, i) => {
      expect(decision.oldMultiplier).toBe(decisions[i - 1]?.multiplier ?? 100);
      expect(decision.factors.at(-1)?.after).toBe(decision.multiplier / 100);
    });
  }

  it('takes a demand step in steps of the gradual limit, a cooldown apart', async () => {
    const world = newWorld();
    await withWorker(env, world, async (zoneOf) => {
      await minutes(env, zoneOf(), 8, { supply: 2, demand: 30 });
    });
    const { decisions } = world.board;
    expectNoGap(decisions);
    expect(decisions.slice(0, 4).map(({ multiplier }) => multiplier)).toEqual([150, 225, 338, 500]);
    decisions.slice(1).forEach((decision, i) => {
      expect(decision.decidedAtMs - (decisions[i]?.decidedAtMs ?? 0)).toBeGreaterThanOrEqual(60_000);
    });
  });

  it('never raises a price while the driver feed is dead, however demand rises', async () => {
    const world = newWorld();
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await minutes(env, zone, 3, { supply: 10, demand: 4 });
      const before = world.board.decisions.length;
      await minutes(env, zone, 12, { supply: 0, demand: 40, feed: 'unknown' });
      const after = world.board.decisions.slice(before);
      expect(after.length).toBeGreaterThan(0);
      for (const { oldMultiplier, multiplier, guard } of after) {
        expect(guard).toBe('feed-stale');
        expect(multiplier).toBeLessThan(oldMultiplier);
      }
    });
    expect(world.board.entry()?.multiplier).toBe(100);
  });

  it('ends in the same state whether observations come once, twice or shuffled', async () => {
    const world = newWorld();
    await withWorker(env, world, async (zoneOf) => {
      const nowMs = await env.currentTimeMs();
      const seen = Array.from({ length: 12 }, (_, i): Observation => {
        const rev = i + 1;
        return {
          epoch: 7,
          rev,
          supply: (rev * 5) % 9,
          supplyAsOfMs: nowMs,
          feed: 'healthy',
          demandTotal: 15 * rev,
          observedAtMs: nowMs + i,
        };
      });
      const orders = [seen, seen.flatMap((one) => [one, one]), seen.toReversed(), [...seen.slice(6), ...seen]];
      const ends = [];
      for (const [i, order] of orders.entries()) {
        const zone = zoneOf(parseZoneId(`nyc-zone-${i}`));
        for (const observation of order) await zone.send(observation);
        const { supply, demand, rev, demandTotal } = await zone.handle.query(state);
        ends.push({ supply, demand, rev, demandTotal });
      }
      expect(ends).toEqual(orders.map(() => ({ supply: 6, demand: 18, rev: 12, demandTotal: 180 })));
    });
  });

  it('adopts what another writer published under its version', async () => {
    const world = newWorld();
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await minutes(env, zone, 2, { supply: 5, demand: 20 });
      const entry = world.board.entry() ?? expect.fail('nothing published');
      const decision = entry.decision ?? expect.fail('no decision');
      const foreign = { ...decision, version: entry.version + 1, oldMultiplier: entry.multiplier, multiplier: 123 };
      world.board.entries.set('nyc-midtown-center:car', { ...entry, ...foreign, decision: foreign });
      await minutes(env, zone, 1, { supply: 5, demand: 20 });
      expect((await zone.handle.query(state)).version).toBeGreaterThanOrEqual(foreign.version);
      expect(world.board.decisions.filter(({ version }) => version === foreign.version)).toEqual([]);
    });
  });

  it('writes its last decision again to a board that lost it, not a new one', async () => {
    const world = newWorld();
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await minutes(env, zone, 6, { supply: 5, demand: 20 });
      const before = world.board.entry();
      world.board.entries.clear();
      await minutes(env, zone, 1, { supply: 5, demand: 20 });
      const again = world.board.decisions.filter(({ version }) => version === before?.version);
      expect(again.length).toBe(2);
      expect(again[1]).toEqual(again[0]);
    });
  });

  it('holds its price while nothing can be rated or published, and drifts after an outage longer than the price lives', async () => {
    const world = newWorld();
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await minutes(env, zone, 6, { supply: 2, demand: 30 });
      const before = world.board.entry() ?? expect.fail('nothing published');
      expect(before.multiplier).toBeGreaterThan(300);
      world.rateFails = true;
      await minutes(env, zone, 2, { supply: 2, demand: 0 });
      expect(world.board.entry()).toMatchObject({ version: before.version, multiplier: before.multiplier });
      world.rateFails = false;
      world.board.away = true;
      await env.sleep(priceTtlMs + 2 * periodMs);
      world.board.away = false;
      await env.sleep(2 * periodMs);
      const back = world.board.decisions[before.version];
      expect(back).toMatchObject({ version: before.version + 1, trigger: 'outage-drift', exempt: ['outage-drift'] });
      expect(back?.multiplier).toBeLessThan(before.multiplier);
      expectNoGap(world.board.decisions);
    });
  });

  it('publishes nothing until its last version can be read, then goes on from it', async () => {
    const world = newWorld();
    world.board.away = true;
    world.recorded = { version: 41, multiplier: 140, atMs: await env.currentTimeMs() };
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await zone.see({ supply: 5, demand: 20 });
      await env.sleep('1 minute');
      expect(world.board.decisions).toEqual([]);
      world.board.away = false;
      await minutes(env, zone, 2, { supply: 5, demand: 20 });
      expect(world.board.decisions[0]).toMatchObject({ version: 42, oldMultiplier: 140 });
    });
  });

  it('puts a price that only Postgres remembers back on the board under a version that says so', async () => {
    const world = newWorld();
    world.config = { ...world.config, mode: 'manual' };
    world.recorded = { version: 41, multiplier: 150, atMs: await env.currentTimeMs() };
    await withWorker(env, world, async (zoneOf) => {
      await minutes(env, zoneOf(), 2, { supply: 5, demand: 1 });
    });
    expect(world.board.decisions).toMatchObject([
      { version: 42, oldMultiplier: 150, multiplier: 150, trigger: 'recovered', exempt: ['recovered'] },
    ]);
    expect(world.board.entry()).toMatchObject({ version: 42, multiplier: 150 });
  });

  it('keeps an override through an outage that would let another price drift', async () => {
    const world = newWorld();
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await minutes(env, zone, 1, { supply: 5, demand: 1 });
      const expiresAtMs = (await env.currentTimeMs()) + 3_600_000;
      const order = { multiplier: 250, expiresAtMs, reason: 'concert', author: 'operator-1' };
      await zone.handle.executeUpdate(setOverride, { args: [order] });
      world.board.away = true;
      await env.sleep(priceTtlMs + 2 * periodMs);
      world.board.away = false;
      await env.sleep(2 * periodMs);
    });
    expect(world.board.entry()?.multiplier).toBe(250);
    expect(world.board.decisions.map(({ trigger }) => trigger)).not.toContain('outage-drift');
  });

  it('decides for a steady zone once a neighbour has riders or the configuration changed', async () => {
    const world = newWorld();
    const shore = parseZoneId('nyc-shore') ?? expect.fail('id');
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await minutes(env, zone, 2, { supply: 1 });
      expect(world.board.entry()).toMatchObject({ version: 0, multiplier: 100 });
      world.config = { ...world.config, version: 2, minMultiplier: 1.2 };
      await minutes(env, zone, 2, { supply: 1 });
      expect(world.board.entry()?.multiplier).toBe(120);

      const entry = world.board.entry() ?? expect.fail('no entry');
      const supplyAsOfMs = (await env.currentTimeMs()) + 10 * periodMs;
      const counts = { ...entry.counts, supply: 1, demand: 50, supplyAsOfMs };
      world.board.entries.set('nyc-shore:car', { ...entry, zoneId: shore, counts });
      world.neighbours = [{ zoneId: shore, distanceKm: 0.5 }];
      await minutes(env, zone, 3, { supply: 1 });
      expect(world.board.entry()?.multiplier).toBeGreaterThan(120);
    });
  });

  it('answers an order it cannot carry out before it knows its last version', async () => {
    const world = newWorld();
    world.board.away = true;
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await zone.see({ supply: 5, demand: 1 });
      const asked = { args: [{ reason: 'look again', author: 'operator-1' }] as [{ reason: string; author: string }] };
      expect(await zone.handle.executeUpdate(reprice, asked)).toMatchObject({ changed: false, heldBy: 'unavailable' });
    });
  });

  it('carries out an override at once, keeps it until it expires, and answers with the price', async () => {
    const world = newWorld();
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await minutes(env, zone, 2, { supply: 5, demand: 0.2 });
      const expiresAtMs = (await env.currentTimeMs()) + 5 * 60_000;
      const order = { multiplier: 250, expiresAtMs, reason: 'concert', author: 'operator-1' };
      const outcome = await zone.handle.executeUpdate(setOverride, { args: [order] });
      expect(outcome).toMatchObject({ multiplier: 250, changed: true, heldBy: null });
      expect(world.board.decisions.at(-1)).toMatchObject({
        multiplier: 250,
        trigger: 'override',
        exempt: ['override'],
      });
      await minutes(env, zone, 8, { supply: 5, demand: 0.2 });
      expect(world.board.entry()?.multiplier).toBe(100);
      const cleared = await zone.handle.executeUpdate(clearOverride, {
        args: [{ reason: 'over', author: 'operator-1' }],
      });
      expect(cleared).toMatchObject({ multiplier: 100, changed: false });
      await expect(zone.handle.executeUpdate(reprice, { args: [{ reason: '', author: 'x' }] })).rejects.toThrow(
        WorkflowUpdateFailedError,
      );
    });
  });
});

describe.runIf(hasTimeSkipping())('orders that are refused', () => {
  let env: TestWorkflowEnvironment;
  beforeAll(async () => {
    env = await timeSkipping();
  });
  afterAll(() => env.teardown());

  it.each([
    ['beyond the cap', { multiplier: 501 }, 'above the cap'],
    ['without a reason', { reason: ' ' }, 'a reason is required'],
    ['for more than a day', { hours: 25 }, 'at most 24 hours'],
    ['that has expired', { hours: -1 }, 'expired already'],
    ['of not a number', { multiplier: Number.NaN }, 'positive whole hundredth'],
  ])('refuses an override %s', async (_name, wrong: { multiplier?: number; reason?: string; hours?: number }, why) => {
    const world: World = newWorld();
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await zone.see({ supply: 5, demand: 2 });
      const { multiplier = 200, reason = 'concert', hours = 1 } = wrong;
      const expiresAtMs = (await env.currentTimeMs()) + hours * 3_600_000;
      const refused = zone.handle.executeUpdate(setOverride, {
        args: [{ multiplier, expiresAtMs, reason, author: 'o' }],
      });
      await expect(refused).rejects.toThrow(WorkflowUpdateFailedError);
      await expect(refused).rejects.toMatchObject({ cause: { message: expect.stringContaining(why) } });
      expect((await zone.handle.query(state)).override).toBeNull();
    });
  });
});
