import { describe, expect, it } from 'vitest';
import { defaultGlobalRules, defaultPricingConfig } from '../../domain/config.ts';
import { capInForce, type Limits, periodLimits, settle, type SettleState } from '../../domain/settle.ts';

const nowMs = Date.UTC(2026, 6, 1, 12);
const free: Limits = {
  config: defaultPricingConfig,
  global: defaultGlobalRules,
  regulatoryCaps: [],
  override: null,
  feedStale: false,
};

function at(last: number, more: Partial<SettleState> = {}): SettleState {
  return { last, periodStart: last, lastChangedAtMs: null, ...more };
}

function override(multiplier: number, expiresAtMs = nowMs + 1) {
  return { override: { multiplier, expiresAtMs } };
}

const justChanged = { lastChangedAtMs: nowMs - 59_999 };
const emergency = { global: { ...defaultGlobalRules, emergencyMode: true, emergencyMultiplier: 1.5 } };
const maintenance = { global: { ...defaultGlobalRules, maintenanceMode: true } };
const manual = { config: { ...defaultPricingConfig, mode: 'manual' as const } };

describe('a settled price', () => {
  it.each([
    ['follows what is asked for, rounded half up', at(200), 2.345, {}, { to: 235 }],
    ['rises by half of the period start at most', at(120), 4, {}, { to: 180, exempt: [] }],
    ['falls by half of the period start at most', at(381), 1, {}, { to: 191, exempt: [] }],
    ['has its gradual limit rounded half up', at(101), 5, {}, { to: 152 }],
    ['is measured from the start of the period, not from the last change', at(180, { periodStart: 120 }), 4, {}, null],
    [
      'falls at once below a cap that came into force',
      at(381),
      3,
      { regulatoryCaps: [116] },
      { to: 116, exempt: ['cap'] },
    ],
    ['once a cap forces it, goes all the way', at(390), 1.48, { regulatoryCaps: [150] }, { to: 148, exempt: ['cap'] }],
    ['is not held by the cooldown when a cap came', at(381, justChanged), 3, { regulatoryCaps: [116] }, { to: 116 }],
    ['jumps to an override', at(100, justChanged), 1, override(420), { to: 420, exempt: ['override'] }],
    ['obeys an override below the floor', at(100), 1, override(80), { to: 80 }],
    ['obeys no override above a cap', at(100), 1, override(900), { to: 500 }],
    ['obeys no override that has expired', at(100), 1, override(420, nowMs), null],
    [
      'falls at once to the emergency multiplier',
      at(400, justChanged),
      5,
      emergency,
      { to: 150, exempt: ['emergency'] },
    ],
    ['rises to the emergency multiplier step by step', at(90), 1, emergency, { to: 135, exempt: [] }],
    ['takes the maintenance multiplier', at(400), 5, maintenance, { to: 100, exempt: ['maintenance'] }],
    ['is not raised by an override in an emergency', at(400), 5, { ...emergency, ...override(300) }, { to: 150 }],
    ['is lowered by an override in an emergency', at(400), 5, { ...emergency, ...override(90) }, { to: 90 }],
    ['stays in manual mode', at(130), 3, manual, null],
    [
      'in manual mode still falls to a cap',
      at(130),
      3,
      { ...manual, regulatoryCaps: [120] },
      { to: 120, exempt: ['cap'] },
    ],
    ['in manual mode obeys an override', at(130), 3, { ...manual, ...override(250) }, { to: 250 }],
    ['in manual mode obeys the emergency', at(400), 3, { ...manual, ...emergency }, { to: 150 }],
    ['falls without cooldown while the feed is stale', at(200, justChanged), 1.5, { feedStale: true }, { to: 150 }],
    [
      'does not rise to the lower limit of its period while the feed is stale',
      at(150, { periodStart: 400 }),
      1.2,
      { feedStale: true },
      null,
    ],
  ])('%s', (_name, state, rated, limits, expected) => {
    const settlement = settle(rated, state, { ...free, ...limits }, nowMs);
    expect(settlement).toMatchObject(
      expected === null ? { kind: 'held', at: state.last } : { kind: 'moved', from: state.last, ...expected },
    );
    expect(settlement.factors.at(-1)?.after ?? rated).toBe((expected?.to ?? state.last) / 100);
  });

  it.each([
    ['the cooldown', at(200, justChanged), {}, 'cooldown', { rule: 'cooldown', before: 2.5, after: 2 }],
    ['manual mode', at(200), manual, 'manual', { rule: 'manual', before: 2.5, after: 2 }],
  ])('held by %s says so and ends in the multiplier in force', (_name, state, limits, by, factor) => {
    const settlement = settle(2.5, state, { ...free, ...limits }, nowMs);
    expect(settlement).toMatchObject({ kind: 'held', at: 200, by });
    expect(settlement.factors.at(-1)).toMatchObject(factor);
  });

  it('that nobody wants to change is unchanged, not cooling', () => {
    expect(settle(2.001, at(200, justChanged), free, nowMs)).toMatchObject({ kind: 'held', by: 'unchanged' });
  });

  it('may change again once the cooldown is over', () => {
    const state = at(200, { lastChangedAtMs: nowMs - 60_000 });
    expect(settle(2.5, state, free, nowMs)).toMatchObject({ kind: 'moved', to: 250 });
  });

  it('keeps what would be recommended beside what is applied', () => {
    expect(settle(1.4, at(130), { ...free, ...manual }, nowMs)).toMatchObject({ at: 130, recommended: 140 });
    expect(settle(1.4, at(130), { ...free, ...override(300) }, nowMs)).toMatchObject({ to: 300, recommended: 140 });
    expect(settle(1.4, at(130), free, nowMs)).toMatchObject({ to: 140, recommended: 140 });
  });
});

describe('the cap in force', () => {
  it.each([
    ['is the lowest of all', { regulatoryCaps: [250, 180] }, 180],
    ['is the cap over all zones', { global: { ...defaultGlobalRules, maxGlobalMultiplier: 2.2 } }, 220],
    ['is rounded down', { config: { ...defaultPricingConfig, absoluteMax: 1.239 } }, 123],
    [
      'of limited automation counts in that mode',
      { config: { ...defaultPricingConfig, mode: 'limited_auto' as const } },
      300,
    ],
    ['of limited automation counts in no other mode', {}, 500],
  ])('%s', (_name, limits, expected) => {
    expect(capInForce({ ...free, ...limits })).toBe(expected);
  });
});

it('the limits of a period are rounded half up', () => {
  expect(periodLimits(101, 0.5)).toEqual({ low: 51, high: 152 });
  expect(periodLimits(100, 0.5)).toEqual({ low: 50, high: 150 });
});
