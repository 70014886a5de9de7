import { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { createContext } from '../../cli/context.ts';
import { registerDeadLetters } from '../../cli/dead-letters.ts';
import { storeDeadLetter } from '../../db/dead-letters.ts';
import { redisKeys } from '../../db/redis-keys.ts';
import { createRedis } from '../../platform/connections.ts';
import { freshMarketId, services } from '../harness.ts';

/** Runs the command as it is typed; answers what it prints. */
async function run(...words: string[]): Promise<string> {
  const printed: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  try {
    const { redisUrl, databaseUrl } = services();
    const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
    registerDeadLetters(program, createContext({ REDIS_URL: redisUrl, DATABASE_URL: databaseUrl }));
    await program.parseAsync(['dead-letters', ...words], { from: 'user' });
  } finally {
    write.mockRestore();
  }
  return printed.join('');
}

describe('dead-letters list --after', () => {
  it.each(['foo', '-', '(1-0', '1-0-0', '99999999999999999999'])('does not take %s for a letter', async (text) => {
    await expect(run('list', `--after=${text}`)).rejects.toMatchObject({
      code: 'commander.invalidArgument',
      message: expect.stringContaining('a letter id is what `dead-letters list` shows'),
    });
  });

  it('shows what follows the letter', async () => {
    const market = freshMarketId();
    const { locations, deadLetter } = redisKeys(market).streams;
    const redis = createRedis(services().redisUrl);
    await redis.xgroup('CREATE', locations, 'history', '0', 'MKSTREAM');
    for (const event of ['first', 'second']) {
      const id = (await redis.xadd(locations, '*', 'event', event)) ?? '';
      await redis.xreadgroup('GROUP', 'history', 'one', 'STREAMS', locations, '>');
      const entry = { id, fields: ['event', event] };
      await storeDeadLetter(redis, market, { stream: locations, group: 'history', entry, reason: 'a test' });
    }
    const { letters } = JSON.parse(await run('list', '--market', market, '--json'));
    const after = await run('list', '--market', market, '--after', letters[0].letterId);
    await redis.del(locations, deadLetter);
    redis.disconnect();
    expect(after).toContain('second');
    expect(after).not.toContain('first');
  });
});
