import { expect, it } from 'vitest';
import type { ConfigVersion, PriceRow } from '../../db/checks.ts';
import { Findings } from '../../scripts/check/findings.ts';
import { checkLimits, type ZoneLimits } from '../../scripts/check/limits.ts';
import { zone } from '../db/live-fixtures.ts';

const market: ConfigVersion = {
  zoneId: null,
  vehicleClass: null,
  version: 1,
  absoluteMax: 5,
  maxChangePerPeriod: 0.5,
  limitedAutoCap: null,
  createdAtMs: 0,
};

const limits: ZoneLimits = {
  zoneId: zone('aaa'),
  vehicleClass: 'car',
  configs: [market],
  rules: [{ version: 1, maxGlobalMultiplier: 10, cooldownMs: 10_000 }],
  tickOffsetMs: 4_000,
};

/** A price log in which each row follows from the one before; a period begins at 4 s, 34 s, 64 s … */
function log(...rows: (Partial<PriceRow> & { readonly to: number; readonly at: number })[]): PriceRow[] {
  let from = 100;
  return rows.map(({ at, ...given }, i) => {
    const row = {
      version: i + 1,
      from,
      trigger: 'tick',
      guard: null,
      exempt: [],
      factors: [{ rule: 'algorithm', before: 1, after: given.to / 100, detail: '' }],
      configVersion: 1,
      globalVersion: 1,
      decidedAtMs: 1_000_000_004_000 - (1_000_000_004_000 % 30_000) + 4_000 + at * 1000,
      ...given,
    };
    from = row.to;
    return row;
  });
}

function wrong(rows: readonly PriceRow[], changes: Partial<ZoneLimits> = {}): string[] {
  const findings = new Findings();
  checkLimits({ ...limits, ...changes }, rows, findings);
  expect(findings.compared.get('P5')).toBe(rows.length);
  return findings.breaches.map(({ subject, what }) => `${subject} ${what}`);
}

const drift = { exempt: ['outage-drift'], configVersion: 0, globalVersion: 0, guard: 'feed-stale' };

it.each([
  ['a step to the limit in each period', log({ to: 150, at: 1 }, { to: 225, at: 31 }, { to: 113, at: 61 })],
  ['two steps in one period that stay within it together', log({ to: 120, at: 1 }, { to: 150, at: 12 })],
  ['a fall without a trusted feed, cooldown or not', log({ to: 150, at: 1 }, { to: 120, at: 2, guard: 'feed-stale' })],
  ['an override beyond every step', log({ to: 400, at: 1, exempt: ['override'] })],
  [
    'a drift, and a step from where it ended',
    log(
      { to: 150, at: 1 },
      { ...drift, to: 100, at: 32, factors: [{ rule: 'outage-drift', before: 1.5, after: 1, detail: '' }] },
      { to: 150, at: 43 },
    ),
  ],
])('%s is within the rules', (_name, rows) => {
  expect(wrong(rows)).toEqual([]);
});

it.each([
  ['past the limit', log({ to: 151, at: 1 }), /151 hundredths is outside 50 to 150/],
  [
    'past the limit by two steps of one period',
    log({ to: 150, at: 1 }, { to: 160, at: 29 }),
    /its period having begun at 100/,
  ],
  ['below the limit', log({ to: 150, at: 1 }, { to: 74, at: 31 }), /74 hundredths is outside 75 to 225/],
  ['within the cooldown', log({ to: 120, at: 1 }, { to: 130, at: 10 }), /9000 ms after the change before/],
  ['above the cap', log({ to: 501, at: 1, exempt: ['override'] }), /501 hundredths is above the cap of 500/],
  ['by an unknown configuration', log({ to: 120, at: 1, configVersion: 7 }), /configuration 7/],
  ['up by an exemption that only lowers', log({ to: 120, at: 1, exempt: ['cap'] }), /rises from 100 to 120 under cap/],
  ['up without a trusted feed', log({ to: 120, at: 1, guard: 'feed-stale' }), /P8 version 1 rises/],
  [
    'with a gap between its factors',
    log({
      to: 120,
      at: 1,
      factors: [
        { rule: 'a', before: 1, after: 1.1, detail: '' },
        { rule: 'b', before: 1.2, after: 1.2, detail: '' },
      ],
    }),
    /factor b begins at 1.2, the one before ended at 1.1/,
  ],
  [
    'to another value than its factors',
    log({ to: 120, at: 1, factors: [] }),
    /its factors end at 1, published was 1.2/,
  ],
])('a price that goes %s is found', (_name, rows, message) => {
  expect(wrong(rows)).toEqual([expect.stringMatching(message)]);
});

it('holds a decision against the narrowest configuration of its version that was there', () => {
  const own = { ...market, zoneId: 'aaa', absoluteMax: 1.239 };
  const rows = log({ to: 124, at: 1 });
  expect(wrong(rows, { configs: [market, own] })).toEqual([expect.stringContaining('above the cap of 123')]);
  expect(wrong(rows, { configs: [market, { ...own, zoneId: 'bbb' }] })).toEqual([]);
  const later = { ...own, createdAtMs: Number.MAX_SAFE_INTEGER };
  expect(wrong(rows, { configs: [market, later] })).toEqual([]);
});
