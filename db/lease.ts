import type { Redis } from 'ioredis';
import { loadScript } from './lua.ts';

const takeScript = loadScript('lease');
const releaseScript = loadScript('lease-release');

/** Takes or renews the lease `key` for `lengthMs`; false while another holder has it. */
export async function takeLease(redis: Redis, key: string, holder: string, lengthMs: number): Promise<boolean> {
  return (await takeScript.run(redis, [key], [holder, lengthMs])) === 1;
}

/** Gives the lease back early, so that a successor need not wait; harmless when it is not ours. */
export async function releaseLease(redis: Redis, key: string, holder: string): Promise<void> {
  await releaseScript.run(redis, [key], [holder]);
}
