import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decayPeriodMs } from '../../domain/config.ts';
import { hasTimeSkipping, minutes, newWorld, timeSkipping, withWorker } from './zone-fixture.ts';

// In a file of its own: once the server's clock is hours ahead, the SDK no longer runs the next worker's activities.
describe.runIf(hasTimeSkipping())('a steady zone', () => {
  let env: TestWorkflowEnvironment;
  beforeAll(async () => {
    env = await timeSkipping();
  });
  afterAll(() => env.teardown());

  it('keeps a steady price fresh for hours without a new version', { timeout: 60_000 }, async () => {
    const world = newWorld();
    world.config = { ...world.config, maxMultiplier: 1.5, absoluteMax: 1.5 };
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await minutes(env, zone, 4, { supply: 5, demand: 10 });
      const steady = world.board.entry();
      expect(steady?.multiplier).toBe(150);
      const snapshots = world.board.snapshots.length;
      await minutes(env, zone, 120, { supply: 5, demand: 10 });
      const later = world.board.entry();
      expect(later).toMatchObject({ version: steady?.version, multiplier: 150, counts: { stable: true } });
      expect((await env.currentTimeMs()) - (later?.asOfMs ?? 0)).toBeLessThanOrEqual(2 * decayPeriodMs);
      // The last tick may still be on its way when skipped time stops.
      expect(world.board.snapshots.length - snapshots).toBeGreaterThanOrEqual(239);
    });
  });
});
