import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { main } from '../../cli/main.ts';
import { unreachable } from '../../cli/unreachable.ts';
import { connectTemporal } from '../../platform/connections.ts';
import { projectRoot } from '../../platform/paths.ts';

const home = mkdtempSync(join(tmpdir(), 'equilibrium-cli-'));
afterAll(() => rmSync(home, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

const env = {
  EQUILIBRIUM_HOME: home,
  DATABASE_URL: 'postgres://me:secret@127.0.0.1:1/x',
  REDIS_URL: 'redis://127.0.0.1:2',
  TEMPORAL_ADDRESS: '127.0.0.1:3',
  EQUILIBRIUM_TOKEN: 'any',
};
const never = { startEverything: () => Promise.resolve(0), prepare: () => Promise.resolve({ migrations: [] }) };

async function complaint(...argv: string[]): Promise<string> {
  const said: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  expect(await main(argv, env, never)).toBe(1);
  return said.join('');
}

const running = 'does not answer; is `equilibrium up` running?';

it.each([
  ['zones import', 'Postgres at 127.0.0.1:1', ['zones', 'import', 'data/nyc-taxi-zones.geojson']],
  ['dead-letters list', 'Redis at 127.0.0.1:2', ['dead-letters', 'list']],
])('%s says in one sentence which server does not answer', async (_name, who, argv) => {
  expect(await complaint(...argv)).toBe(`${who} ${running}\n`);
});

// The demo ends its channel to whoever started it, so it gets a process of its own.
it('demo says in one sentence which server does not answer', async () => {
  const argv = ['demo', '--file', join(projectRoot(), 'data', 'nyc-uber-pickups-2014-04-04.csv')];
  const program = join(projectRoot(), 'bin', 'equilibrium.mjs');
  const child = spawn(process.execPath, [program, ...argv], {
    env: { ...env, PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(1);
  expect(said.trimEnd().split('\n').at(-1)).toBe(`Redis at 127.0.0.1:2 ${running}`);
  expect(said).not.toContain('    at ');
}, 60_000);

it('names Temporal when its client cannot connect', async () => {
  const error: unknown = await connectTemporal({ address: env.TEMPORAL_ADDRESS }).catch((reason: unknown) => reason);
  expect(unreachable(error, env)).toBe(`Temporal at 127.0.0.1:3 ${running}`);
});

it('takes a mistake of ours for what it is', () => {
  expect(unreachable(new TypeError('x is not a function'), env)).toBeUndefined();
  expect(unreachable(new Error('no such file', { cause: { code: 'ENOENT' } }), env)).toBeUndefined();
});
