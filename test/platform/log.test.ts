import { describe, expect, it } from 'vitest';
import { createLogger } from '../../platform/log.ts';
import { createRedis } from '../../platform/connections.ts';
import { freshDatabase, services } from '../harness.ts';

/** What a log line of this error says. */
function logged(err: unknown): string {
  const lines: string[] = [];
  createLogger('test', 'info', { write: (line) => lines.push(line) }).warn({ err }, 'it failed');
  return lines.join('');
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('an error in the log', () => {
  it('of Postgres names the constraint, not the row that broke it', async () => {
    await using database = await freshDatabase();
    await database.pool.query(
      'create table people (id text primary key, lat float8 constraint north check (lat > 50))',
    );
    const refused = await failure(database.pool.query(`insert into people values ('carol-7', 40.758312)`));
    expect(refused).toMatchObject({ detail: expect.stringContaining('carol-7') });
    for (const error of [refused, new Error('wrapped', { cause: refused }), new AggregateError([refused], 'all')]) {
      expect(logged(error)).not.toMatch(/carol-7|40\.758312/);
    }
    const { err } = JSON.parse(logged(refused));
    expect(err).toMatchObject({ code: '23514', constraint: 'north', message: expect.stringContaining('violates') });
    expect(err.stack).toContain('violates');
  });

  it('of Redis leaves out the arguments of its command', async () => {
    const redis = createRedis(services().redisUrl);
    const refused = await failure(redis.call('geoadd', 'nowhere', '-73.98', '95.123456', 'carol-7'));
    redis.disconnect();
    expect(refused).toMatchObject({ command: { args: expect.arrayContaining(['carol-7']) } });
    expect(logged(refused)).not.toContain('carol-7');
    expect(logged(refused)).toContain('it failed');
  });
});
