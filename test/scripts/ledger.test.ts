import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readLedger } from '../../scripts/check/ledger.ts';

const folder = mkdtempSync(join(tmpdir(), 'ledger-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(...lines: string[]): string {
  const file = join(folder, 'ledger.ndjson');
  writeFileSync(file, lines.join('\n'));
  return file;
}

const fix = '{"kind":"fix","event_id":"f1","driver_id":"d1","timestamp":"2026-01-01T00:00:00.000Z"}';
const ride = '{"kind":"ride_request","event_id":"r1","timestamp":"2026-01-01T00:00:00.000Z"}';
const quote =
  '{"kind":"quote","quote_id":"018f4c1e-7d5a-7c3b-8000-0123456789ab","final_fare_minor":850,"multiplier":1,"price_version":0}';

it('reads what the demo writes, up to a last line that its end cut off', async () => {
  const { events, quotes } = await readLedger(fileOf(fix, ride, quote, '{"kind":"fi'));
  expect([...events.location, ...events.demand]).toEqual(['f1', 'r1']);
  expect(quotes).toMatchObject([{ final_fare_minor: 850, multiplier: 1, price_version: 0 }]);
});

it('refuses a file that is no ledger, as nothing can be said of lines it does not understand', async () => {
  await expect(readLedger(fileOf(fix, '{"kind":"wish"}', ride))).rejects.toThrow('line 2');
});
