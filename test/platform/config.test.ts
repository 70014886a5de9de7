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

it('keeps positions for 90 days and prices for 400, or as long as it is told, and shows it', () => {
  expect(redact(loadConfig(enough))['retention']).toEqual({ locationDays: 90, priceDays: 400 });
  const told = { EQUILIBRIUM_KEEP_LOCATIONS_DAYS: '7', EQUILIBRIUM_KEEP_PRICES_DAYS: '30' };
  expect(loadConfig({ ...enough, ...told }).retention).toEqual({ locationDays: 7, priceDays: 30 });
  expect(() => loadConfig({ ...enough, EQUILIBRIUM_KEEP_PRICES_DAYS: '0' })).toThrow(/EQUILIBRIUM_KEEP_PRICES_DAYS/);
});
