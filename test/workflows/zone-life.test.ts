import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { state } from '../../workflows/zone-messages.ts';
import { hasTimeSkipping, newWorld, timeSkipping, withWorker } from './zone-fixture.ts';

describe.runIf(hasTimeSkipping())('the life of a zone', () => {
  let env: TestWorkflowEnvironment;
  beforeAll(async () => {
    env = await timeSkipping();
  });
  afterAll(() => env.teardown());

  it('rises with demand, decays, falls asleep at its floor and wakes with its version', async () => {
    const world = newWorld();
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await zone.see({ supply: 5, demand: 20 });
      await env.sleep('2 minutes');
      const risen = world.board.entry();
      expect(risen?.multiplier).toBeGreaterThan(100);
      // The drivers leave, and nobody asks for a ride any more.
      await zone.see({ supply: 0 });
      for (let minute = 0; minute < 40; minute += 1) {
        await env.sleep('30 seconds');
        await zone.see({ supply: 0 });
      }
      await env.sleep('40 minutes');
      expect((await zone.handle.describe()).status.name).toBe('COMPLETED');
      const asleep = world.board.entry();
      expect(asleep).toMatchObject({ multiplier: 100, counts: { asleep: true } });
      const { version } = asleep ?? { version: -1 };

      await zone.see({ supply: 1, demand: 30 });
      await env.sleep('1 minute');
      expect(world.board.entry()?.version).toBe(version + 1);
      expect(world.board.decisions.map((decision) => decision.version)).toEqual(
        world.board.decisions.map((_, i) => i + 1),
      );
      expect(await zone.handle.query(state)).toMatchObject({ version: version + 1 });
    });
  });
});
