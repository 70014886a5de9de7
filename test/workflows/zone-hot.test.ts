import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Observation } from '../../domain/observation.ts';
import { state } from '../../workflows/zone-messages.ts';
import { hasTimeSkipping, newWorld, timeSkipping, withWorker } from './zone-fixture.ts';

describe.runIf(hasTimeSkipping())('a hot zone', () => {
  let env: TestWorkflowEnvironment;
  beforeAll(async () => {
    env = await timeSkipping();
  });
  afterAll(() => env.teardown());

  it('loses nothing at 20 signals a second while it continues as new twice', { timeout: 60_000 }, async () => {
    const world = newWorld();
    await withWorker(env, world, async (zoneOf) => {
      const zone = zoneOf();
      await zone.see({ supply: 5, demand: 1 });
      const first = (await zone.handle.describe()).runId;
      const runs = new Set([first]);
      let told = 10;
      let last: Observation | undefined;
      while (runs.size < 3) {
        for (let i = 0; i < 20; i += 1) last = await zone.see({ demand: (i % 3) / 10 });
        await env.sleep(1_000);
        told = last?.demandTotal ?? told;
        runs.add((await zone.handle.describe()).runId);
        expect(told).toBeLessThan(100_000);
      }
      const end = await zone.handle.query(state);
      expect(end).toMatchObject({ rev: last?.rev, demandTotal: told, demandRefusedTenths: 0 });
      expect(end.version).toBe(world.board.entry()?.version);
      expect(world.board.decisions.map(({ version }) => version)).toEqual(world.board.decisions.map((_, i) => i + 1));
    });
  });
});
