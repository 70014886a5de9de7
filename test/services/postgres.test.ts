import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { startPostgres } from '../../services/postgres.ts';
import { eventually } from '../harness.ts';
import { scratchHome } from './scratch.ts';

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

it('keeps its data through a kill, in a folder that only its owner may enter', async () => {
  using scratch = scratchHome();
  const closed = join(scratch.home, 'closed');
  const home = join(closed, 'home');
  mkdirSync(home, { recursive: true });
  chmodSync(closed, 0o700); // like a clone below /root: Postgres runs as another user there
  const { url, process: server } = await startPostgres({ ...scratch.settings, home });
  try {
    await ask(url, 'create table kept as select 7 as n');
    process.kill(server?.pid() ?? 0, 'SIGKILL');
    const rows = await eventually(() => ask(url, 'select n from kept'), { timeoutMs: 15_000 });
    expect(rows).toEqual([{ n: 7 }]);
    expect(await ask(url, "select current_setting('server_encoding') as encoding")).toEqual([{ encoding: 'UTF8' }]);
    expect(statSync(join(home, 'postgres-password')).mode & 0o077).toBe(0);
    const wrong = new URL(url);
    wrong.password = 'guess';
    await expect(ask(wrong.toString(), 'select 1')).rejects.toThrow(/password authentication failed/);
  } finally {
    await server?.stop();
  }
});

it('says how to go on when the Postgres of the environment does not answer', async () => {
  using scratch = scratchHome({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
  await expect(startPostgres(scratch.settings)).rejects.toThrow(
    /^DATABASE_URL does not answer .* or unset DATABASE_URL/,
  );
});
