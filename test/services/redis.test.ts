import { expect, it } from 'vitest';
import { createRedis } from '../../platform/connections.ts';
import { startRedis } from '../../services/redis.ts';
import { eventually } from '../harness.ts';
import { scratchHome } from './scratch.ts';

it('starts a killed Redis again on the same port with all it had accepted', async () => {
  using scratch = scratchHome();
  const { url, process: server } = await startRedis(scratch.settings);
  const redis = createRedis(url);
  try {
    await redis.set('kept', 'yes');
    const killed = server?.pid();
    process.kill(killed ?? 0, 'SIGKILL');
    await eventually(() => server?.restarts() === 1 && server.pid() !== killed);
    expect(await redis.get('kept')).toBe('yes');
    expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    expect(await redis.config('GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
  } finally {
    redis.disconnect();
    await server?.stop();
  }
  await expect(startRedis({ ...scratch.settings, env: { REDIS_URL: url } })).rejects.toThrow(
    /^REDIS_URL does not answer .* Start it, or unset REDIS_URL to use an embedded Redis\.$/,
  );
});

it('says in one sentence what to do when there is no Redis and none can be installed', async () => {
  using scratch = scratchHome({ PATH: '/nowhere' });
  await expect(startRedis(scratch.settings)).rejects.toThrow(
    'Redis was not found and cannot be installed without root: install redis-server or valkey-server, or set REDIS_URL to one that runs.',
  );
});
