import { readdirSync, readFileSync } from 'node:fs';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { workflowBundle } from './zone-fixture.ts';

const folder = new URL('../histories/', import.meta.url);
const saved = readdirSync(folder).filter((name) => name.endsWith('.json'));

function history(name: string) {
  return historyFromJSON(JSON.parse(readFileSync(new URL(name, folder), 'utf8')));
}

describe('replay of saved histories', () => {
  beforeAll(() => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
  });

  it('has histories to replay', () => {
    expect(saved.length).toBeGreaterThan(0);
  });

  it.each(saved)('%s replays on the code as it is', async (name) => {
    await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history(name));
  });

  it('finds a changed workflow to be non-deterministic', async () => {
    const changed = await bundleWorkflowCode({
      workflowsPath: new URL('./changed-zone.ts', import.meta.url).pathname,
      logger: new DefaultLogger('WARN'),
    });
    const [name = ''] = saved;
    const replay = Worker.runReplayHistory({ workflowBundle: changed }, history(name));
    await expect(replay).rejects.toThrow(DeterminismViolationError);
    await expect(replay).rejects.toThrow(/TMPRL1100/);
  });
});
