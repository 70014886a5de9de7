import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decayPeriodMs, driverTtlMs } from '../../domain/config.ts';
import type { Decision } from '../../domain/decision.ts';
import { parseZoneId } from '../../domain/ids.ts';
import type { Observation } from '../../domain/observation.ts';
import {
  foldObservation,
  mostDemandPerPeriodTenths,
  newZone,
  tickZone,
  wantsDecision,
  type ZoneState,
} from '../../domain/zone.ts';
import { adopt, outageDrift, wakeZone, boardEntry } from '../../domain/zone-board.ts';

const zoneId = parseZoneId('nyc-midtown-center') ?? expect.fail('id');
const start = 1_700_000_000_000;
const fresh = () => newZone(zoneId, 'car', start, start + decayPeriodMs);

function observation(change: Partial<Observation>): Observation {
  return {
    epoch: 1,
    rev: 1,
    supply: 0,
    supplyAsOfMs: start,
    feed: 'healthy',
    demandTotal: 0,
    observedAtMs: start,
    ...change,
  };
}

/** What one Redis life tells a zone: revisions count up, totals only grow. */
const life = fc
  .array(
    fc.record({ supply: fc.nat(50), grows: fc.nat(30), feed: fc.constantFrom('healthy' as const, 'unknown' as const) }),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  .map((steps) => {
    let demandTotal = 0;
    return steps.map(({ supply, grows, feed }, i) => {
      demandTotal += grows;
      return observation({ rev: i + 1, supply, feed, demandTotal, observedAtMs: start + i });
    });
  });

const told = ({ demand, rev, epoch, demandTotal }: ZoneState) => ({
  demand: Math.round(demand * 1e6),
  rev,
  epoch,
  demandTotal,
});

describe('observations', () => {
  it('add the same demand however they are repeated, left out in between, or shuffled', () => {
    fc.assert(
      fc.property(life, fc.infiniteStream(fc.nat()), (seen, picks) => {
        const inOrder = seen.reduce(foldObservation, fresh());
        const mixed = [...seen, ...seen].toSorted(() => ((picks.next().value ?? 0) % 3) - 1);
        const last = seen.at(-1) ?? expect.fail('empty');
        expect(told([...mixed, last].reduce(foldObservation, fresh()))).toEqual(told(inOrder));
        expect(told([last].reduce(foldObservation, fresh()))).toEqual(told(inOrder));
      }),
    );
  });

  it('of a new epoch start counting from where they are, and older epochs are ignored', () => {
    const before = foldObservation(fresh(), observation({ epoch: 5, rev: 40, demandTotal: 100 }));
    const rebased = foldObservation(before, observation({ epoch: 6, rev: 1, demandTotal: 70 }));
    expect(rebased).toMatchObject({ demand: 10, epoch: 6, rev: 1, demandTotal: 70 });
    expect(foldObservation(rebased, observation({ epoch: 5, rev: 41, demandTotal: 999 }))).toBe(rebased);
    expect(foldObservation(rebased, observation({ epoch: 6, rev: 2, demandTotal: 75 })).demand).toBe(10.5);
  });

  it('never take demand away when a counter falls back', () => {
    const before = foldObservation(fresh(), observation({ rev: 4, demandTotal: 100 }));
    expect(foldObservation(before, observation({ rev: 5, demandTotal: 60 }))).toMatchObject({
      demand: 10,
      demandTotal: 60,
    });
  });

  it('cannot buy a surge with a broken counter: what exceeds the most of a period is refused and counted', () => {
    const zone = foldObservation(fresh(), observation({ demandTotal: mostDemandPerPeriodTenths + 500 }));
    expect(zone).toMatchObject({ demand: mostDemandPerPeriodTenths / 10, demandRefusedTenths: 500 });
  });

  it('of an outage count as if they had arrived evenly while it lasted', () => {
    const tenPeriodsLater = start + 10 * decayPeriodMs;
    const before = foldObservation(fresh(), observation({ demandTotal: 10 }));
    const back = observation({ rev: 2, demandTotal: 110, observedAtMs: tenPeriodsLater });
    // One request a period for ten periods: 1 + 0.9 + … + 0.9^9 are left of them.
    expect(foldObservation({ ...before, demand: 0 }, back).demand).toBeCloseTo((1 - 0.9 ** 10) / 0.1, 9);
  });

  it('without a healthy feed leave the known supply alone', () => {
    const known = foldObservation(fresh(), observation({ supply: 9 }));
    const blind = foldObservation(known, observation({ rev: 2, supply: 0, feed: 'unknown', supplyAsOfMs: start }));
    expect(blind).toMatchObject({ supply: 9, feed: 'unknown' });
  });
});

describe('ticks', () => {
  it('never make a count negative, and end at nothing', () => {
    fc.assert(
      fc.property(life, fc.integer({ min: 1, max: 400 }), (seen, periods) => {
        let zone = seen.reduce(foldObservation, fresh());
        for (let i = 0; i < periods; i += 1) {
          zone = tickZone(zone, zone.nextTickAtMs);
          expect(zone.supply).toBeGreaterThanOrEqual(0);
          expect(zone.demand).toBeGreaterThanOrEqual(0);
        }
        if (periods > 300) expect(zone.demand).toBe(0);
      }),
    );
  });

  it('of an outage decay by all the periods that passed and keep their rhythm', () => {
    const zone = foldObservation(fresh(), observation({ demandTotal: 100 }));
    const late = tickZone(zone, zone.nextTickAtMs + 4 * decayPeriodMs + 17);
    expect(late.demand).toBeCloseTo(10 * 0.9 ** 5, 9);
    expect((late.nextTickAtMs - zone.nextTickAtMs) / decayPeriodMs).toBe(5);
  });

  it('keep the supply only through the period in which it was vouched for', () => {
    const zone = { ...foldObservation(fresh(), observation({ supply: 10 })), supplyRefreshed: true };
    expect(tickZone(zone, zone.nextTickAtMs).supply).toBe(10);
    expect(tickZone(zone, zone.nextTickAtMs + 2 * decayPeriodMs).supply).toBeCloseTo(10 * 0.95 ** 2, 9);
  });
});

describe('decisions before the next tick', () => {
  const rated = {
    ...fresh(),
    observedAtMs: start,
    supply: 10,
    demand: 10,
    rated: { supply: 10, ratio: 1 },
    lastChangedAtMs: 0,
  };

  it.each([
    ['when the ratio moved by a tenth', { demand: 11 }, true],
    ['not when it moved by less', { demand: 10.9 }, false],
    ['when the last driver leaves', { supply: 0, demand: 10 }, true],
    ['not during a cooldown', { demand: 30, lastChangedAtMs: start - 59_999 }, false],
    ['when the cooldown has just ended', { demand: 30, lastChangedAtMs: start - 60_000 }, true],
  ])('come %s', (_name, change, expected) => {
    expect(wantsDecision({ ...rated, ...change }, start)).toBe(expected);
  });
});

describe('adopting what another writer published', () => {
  const zone = { ...fresh(), version: 3, multiplier: 200, periodStart: 200, nextTickAtMs: start + decayPeriodMs };
  const held = (decidedAtMs: number) => {
    const decision = { version: 4, oldMultiplier: 200, multiplier: 250, decidedAtMs } as Decision;
    return { ...boardEntry({ ...zone, version: 4, multiplier: 250 }, start), decision };
  };

  it('measures the gradual limit from the start of the period in which it was decided', () => {
    expect(adopt(zone, held(start + 1))).toMatchObject({
      version: 4,
      multiplier: 250,
      periodStart: 200,
      asOfMs: start,
    });
    expect(adopt(zone, held(start - 1))).toMatchObject({ version: 4, multiplier: 250, periodStart: 250 });
  });
});

describe('waking', () => {
  it('goes on from the highest version that anybody knows', () => {
    const entry = boardEntry(
      { ...fresh(), version: 7, multiplier: 130, epoch: 3, rev: 9, demandTotal: 55, demand: 4 },
      start,
    );
    const recorded = { version: 9, multiplier: 150, atMs: start };
    expect(wakeZone(fresh(), { entry, recorded: null }, start)).toMatchObject({
      version: 7,
      multiplier: 130,
      demandTotal: 55,
    });
    expect(wakeZone(fresh(), { entry, recorded }, start)).toMatchObject({ version: 9, multiplier: 150, epoch: 3 });
    expect(wakeZone(fresh(), { entry: null, recorded }, start)).toMatchObject({ version: 9, multiplier: 150 });
    expect(wakeZone(fresh(), { entry, recorded }, start + decayPeriodMs).demand).toBeCloseTo(3.6, 9);
  });

  it('after longer than a price lives starts from what readers charged meanwhile', () => {
    const zone = { ...fresh(), version: 3, multiplier: 400, asOfMs: start };
    expect(outageDrift(zone, start + driverTtlMs)).toBeUndefined();
    expect(outageDrift(zone, start + driverTtlMs + decayPeriodMs)).toBe(200);
    expect(outageDrift({ ...zone, multiplier: 100 }, start + 10 * driverTtlMs)).toBeUndefined();
    const override = { multiplier: 400, expiresAtMs: start + 20 * driverTtlMs, reason: 'concert', author: 'o' };
    expect(outageDrift({ ...zone, override }, start + 10 * driverTtlMs)).toBeUndefined();
  });
});
