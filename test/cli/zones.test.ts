import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createContext } from '../../cli/context.ts';
import { type ImportReport, registerZones, renderReport } from '../../cli/zones.ts';
import { loadMarkets } from '../../db/markets.ts';
import { collection, square } from '../geo/shapes.ts';
import { freshDatabase, type TestDatabase } from '../harness.ts';

let database: TestDatabase;
const folder = mkdtempSync(join(tmpdir(), 'equilibrium-zones-'));

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function run(...words: string[]): Promise<string> {
  const printed: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  try {
    const env = { DATABASE_URL: database.url, REDIS_URL: 'redis://127.0.0.1:1', EQUILIBRIUM_HOME: folder };
    const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
    registerZones(program, createContext(env));
    await program.parseAsync(['zones', 'import', ...words], { from: 'user' });
  } finally {
    write.mockRestore();
  }
  return printed.join('');
}

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const town = collection(
  [square(-1.5, 52, 0.02), { zone: 'Old Town' }],
  [square(-1.5, 52, 0.02), { zone: 'New Town' }],
  [{ type: 'Point', coordinates: [0, 0] }, {}],
);
const settings = ['--market', 'town', '--time-zone', 'Europe/London', '--currency', 'GBP'];

describe('zones import', () => {
  it('makes a market with its zones and reports what was odd', async () => {
    const report: ImportReport = JSON.parse(await run(file('town.geojson', town), ...settings, '--json'));
    expect(report).toMatchObject({ market: 'town', zones: 2, rejected: [{ index: 2 }] });
    expect(report.conflicts.length).toBeGreaterThan(10);
    expect(renderReport(report)).toContain(`town: 2 zones with ${report.cells} cells`);
    const [market] = await loadMarkets(database.pool);
    expect(market).toMatchObject({ marketId: 'town', timeZone: 'Europe/London', currency: 'GBP' });
  });

  it('keeps what was set before, and the places served before', async () => {
    const before = (await loadMarkets(database.pool))[0];
    await run(file('more.geojson', collection([square(-1.4, 52, 0.02), { zone: 'Suburb' }])), '--market', 'town');
    const after = (await loadMarkets(database.pool))[0];
    expect(after?.zones.map(({ zoneId }) => zoneId)).toEqual(['town-new-town', 'town-old-town', 'town-suburb']);
    expect(after).toMatchObject({ timeZone: 'Europe/London', tariff: { currency: 'GBP' } });
    expect(after?.boundary).not.toEqual(before?.boundary);
  });

  it.each([
    ['a new market without a time zone', town, ['--market', 'village'], /--time-zone/],
    ['a market id with blanks', town, ['--market', 'my town'], /not a market id/],
    [
      'a time zone that does not exist',
      town,
      ['--market', 'mars', '--time-zone', 'Mars/Olympus', '--currency', 'EUR'],
      /time zone/,
    ],
    ['a file that is not JSON', 'zone;name', settings, /cannot read/],
    ['a file without zones', { type: 'FeatureCollection', features: [] }, settings, /cannot be used/],
  ])('refuses %s in one sentence', async (_name, content, words, message) => {
    const refusal = run(file('refused.geojson', content), ...words);
    await expect(refusal).rejects.toMatchObject({ name: 'UsageError', message: expect.stringMatching(message) });
  });
});
