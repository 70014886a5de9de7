import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { identify } from '../../platform/process-identity.ts';
import { readState, type State, withState, writeState } from '../../platform/state.ts';

const home = mkdtempSync(join(tmpdir(), 'equilibrium-state-'));
afterAll(() => rmSync(home, { recursive: true }));

function stateOf(pid: number, identity: string): State {
  return {
    pid,
    identity,
    apiUrl: 'http://127.0.0.1:8000',
    temporalAddress: '127.0.0.1:7233',
    namespace: 'default',
    databaseUrl: 'postgres://me@127.0.0.1/x',
    redisUrl: 'redis://127.0.0.1:6379',
    processes: {},
    startedAt: '2026-01-01T00:00:00.000Z',
  };
}

it('is believed while the supervisor that wrote it runs', () => {
  const state = stateOf(process.pid, identify(process.pid) ?? '');
  writeState(home, state);
  expect(readState(home)).toEqual(state);
  expect(withState({ EQUILIBRIUM_HOME: home })).toMatchObject({ REDIS_URL: state.redisUrl });
});

it('says nothing once its pid belongs to another process, or to none', () => {
  for (const pid of [process.pid, 2 ** 22 + 1]) {
    writeState(home, stateOf(pid, `${pid} 1`));
    expect(readState(home)).toBeUndefined();
    expect(withState({ EQUILIBRIUM_HOME: home })).toEqual({ EQUILIBRIUM_HOME: home });
  }
});
