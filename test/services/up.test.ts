import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../platform/paths.ts';
import { eventually } from '../harness.ts';
import { scratchHome } from './scratch.ts';

interface Up {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly code: Promise<number | null>;
}

function up(home: string, env: NodeJS.ProcessEnv): Up {
  const { PATH, HOME, XDG_CACHE_HOME } = process.env;
  const child = spawn(process.execPath, [join(projectRoot(), 'bin', 'equilibrium.mjs'), 'up', '--json'], {
    env: { PATH, HOME, XDG_CACHE_HOME, EQUILIBRIUM_HOME: home, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, said: () => said, code };
}

it('leaves no half database, lock or process behind when it is interrupted while it starts', async () => {
  using scratch = scratchHome();
  const { child, said, code } = up(scratch.home, {});
  await eventually(() => existsSync(join(scratch.home, 'postgres.new')) || child.exitCode !== null, {
    timeoutMs: 60_000,
  });
  expect(existsSync(join(scratch.home, 'lock'))).toBe(true);
  child.kill('SIGINT');
  expect([await code, said()]).toEqual([0, expect.not.stringContaining('Error')]);
  const left = readdirSync(scratch.home);
  for (const name of ['lock', 'state.json', 'postgres.new', 'postgres.new-password']) expect(left).not.toContain(name);
  expect(readdirSync(join(scratch.home, 'run'))).toEqual([]);
}, 90_000);

it('says in one sentence that production needs keys of its own', async () => {
  using scratch = scratchHome();
  const { said, code } = up(scratch.home, { NODE_ENV: 'production' });
  expect(await code).toBe(1);
  expect(said()).toMatch(/NODE_ENV is production.*set EQUILIBRIUM_AUTH_KEYS to a file made with .*\.\n$/);
  expect(readdirSync(scratch.home)).toEqual([]);
}, 90_000);

it.each([['PORT', '70000', /PORT is 70000, but must be a whole number from 1 to 65535/]])(
  'refuses %s=%s before it starts anything',
  async (name, value, sentence) => {
    using scratch = scratchHome();
    const { said, code } = up(scratch.home, { [name]: value });
    expect(await code).toBe(1);
    expect(said()).toMatch(sentence);
    expect(readdirSync(scratch.home)).toEqual([]);
  },
  90_000,
);
