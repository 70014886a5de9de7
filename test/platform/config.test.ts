import { expect, it } from 'vitest';
import { loadConfig, redact } from '../../platform/config.ts';

const enough = { DATABASE_URL: 'postgres://me:secret@db/x', REDIS_URL: 'redis://:hush@cache:6379' };

it('names every variable that is missing or wrong, in one error', () => {
  expect(() => loadConfig({ REDIS_URL: 'http://x', PORT: '99999' })).toThrow(
    /DATABASE_URL is not set\nREDIS_URL: must be a redis:\/\/ address\nPORT: .*\nSet it in the environment/,
  );
});

it('takes an empty variable for an absent one', () => {
  expect(loadConfig({ ...enough, PORT: '', EQUILIBRIUM_MARKETS: '' })).toMatchObject({
    port: 8000,
    markets: undefined,
  });
});

it('reads the usual variables of Temporal', () => {
  const { temporal } = loadConfig({ ...enough, TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_NAMESPACE: 'prices' });
  expect(temporal).toMatchObject({ address: 'temporal:7233', namespace: 'prices', taskQueue: 'zones' });
});

it('shows no secret', () => {
  const shown = JSON.stringify(redact(loadConfig({ ...enough, TEMPORAL_API_KEY: 'whisper' })));
  for (const secret of ['secret', 'hush', 'whisper']) expect(shown).not.toContain(secret);
  expect(shown).toContain('me:hidden@db');
});
