import { expect, it } from 'vitest';
import { storeDeadLetter, countDeadLetters, listDeadLetters } from '../../db/dead-letters.ts';
import { groups } from '../../db/redis-keys.ts';
import { appendDemand, createGroups, readGroup } from '../../db/streams.ts';
import { demandOf } from '../workers/events.ts';
import { redisMarket } from './redis-market.ts';

it('buries an entry once, however often a worker tries', async () => {
  await using held = redisMarket();
  const { redis, market, keys } = held;
  await createGroups(redis, market);
  await appendDemand(redis, market, [demandOf('r1'), demandOf('r2')]);
  const stream = keys.streams.demand;
  const [read] = await readGroup(redis, [stream], { group: groups.history, consumer: 'one', count: 10 }, 10);
  for (const entry of read?.[1] ?? []) {
    for (let twice = 0; twice < 2; twice += 1) {
      await storeDeadLetter(redis, market, { stream, group: groups.history, entry, reason: 'a test' });
    }
  }
  expect(await countDeadLetters(redis, market)).toBe(2);
  const [first] = await listDeadLetters(redis, market, { limit: 1 });
  const [second, ...noMore] = await listDeadLetters(redis, market, { after: first?.letterId ?? '' });
  expect(first).toMatchObject({ id: read?.[1][0]?.id, reason: 'a test' });
  expect(second).toMatchObject({ id: read?.[1][1]?.id });
  expect(noMore).toEqual([]);
});
