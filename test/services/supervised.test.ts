import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type ProcessSpec, stopAll, supervise } from '../../services/supervised.ts';
import { eventually } from '../harness.ts';
import { scratchHome } from './scratch.ts';

function program(home: string, name: string, code: string): Omit<ProcessSpec, 'ready'> {
  return {
    name,
    command: process.execPath,
    args: ['-e', code],
    logFile: join(home, 'logs', `${name}.log`),
    pidFile: join(home, 'run', `${name}.pid`),
  };
}

it('gives a process up that keeps dying before it was ready, and says so once', async () => {
  using scratch = scratchHome();
  const said: string[] = [];
  const given: string[] = [];
  const failing = await supervise({
    ...program(scratch.home, 'failing', 'process.exit(3)'),
    onRestart: (reason) => said.push(reason),
    onGivenUp: (reason) => given.push(reason),
  });
  await eventually(() => given.length > 0, { timeoutMs: 15_000 });
  expect(given).toEqual(['exit code 3']);
  expect(said).toHaveLength(4);
  expect(failing.restarts()).toBe(4);
  expect(failing.pid()).toBeUndefined();
  expect(existsSync(join(scratch.home, 'run', 'failing.pid'))).toBe(false);
});

it('starts a process again for ever that was ready once', async () => {
  using scratch = scratchHome();
  const given: string[] = [];
  const failing = await supervise({
    ...program(scratch.home, 'ready-once', 'setTimeout(() => process.exit(3), 20)'),
    ready: () => Promise.resolve(true),
    onGivenUp: (reason) => given.push(reason),
  });
  await eventually(() => failing.restarts() > 5, { timeoutMs: 18_000 });
  expect(given).toEqual([]);
  await failing.stop();
});

it('keeps logs in a folder that only its owner may enter', async () => {
  using scratch = scratchHome();
  const running = await supervise(program(scratch.home, 'quiet', 'setInterval(() => {}, 1000)'));
  expect(statSync(join(scratch.home, 'logs')).mode & 0o777).toBe(0o700);
  await running.stop();
});

// The last test of this file: afterwards nothing can be started here any more.
it('ends the wait for a process that is stopped before it is ready, and starts nothing afterwards', async () => {
  using scratch = scratchHome();
  const pidFile = join(scratch.home, 'run', 'never.pid');
  const spec = { ...program(scratch.home, 'never', 'setInterval(() => {}, 1000)'), pidFile };
  // Neither a pause nor a question under way may hold up the end.
  const starting = [
    supervise({ ...spec, ready: () => Promise.resolve(false) }),
    supervise({ ...spec, pidFile: `${pidFile}2`, ready: () => new Promise(() => {}) }),
  ].map((one) => one.then(() => 'started').catch((error: Error) => error.message));
  await eventually(() => existsSync(pidFile) && existsSync(`${pidFile}2`));
  await stopAll([]);
  const stopped = 'never was stopped before it was ready.';
  expect(await Promise.all(starting)).toEqual([stopped, stopped]);
  expect(existsSync(pidFile)).toBe(false);
  await expect(supervise(spec)).rejects.toThrow('never was not started, as everything is being stopped.');
});
