import { describe, expect, it } from 'vitest';
import { fastestMetersPerSecond, leg, makeDriver, nearestAvailable, positionOf } from '../../cli/demo/driver.ts';
import type { Pickup } from '../../cli/demo/pickups.ts';
import { type Plan, planRequests } from '../../cli/demo/plan.ts';
import { randomFrom } from '../../cli/demo/random.ts';
import { City, fixEveryMs, type Fix, leadInMs, type Request, type Step } from '../../cli/demo/simulation.ts';
import { haversineKm, type Point } from '../../domain/distance.ts';

const midnight = Date.UTC(2014, 3, 4);
const minute = 60_000;

/** Three hundred pickups over an hour, nine in ten of them in the middle of town. */
function townPickups(): Pickup[] {
  const random = randomFrom(99);
  return Array.from({ length: 300 }, (_, i) => {
    const spread = i % 10 === 0 ? 0.2 : 0.03;
    const place = { latitude: 40.75 + (random() - 0.5) * spread, longitude: -73.98 + (random() - 0.5) * spread };
    return { atMs: midnight + 17 * 60 * minute + Math.floor(i / 5) * minute, place };
  });
}

function townPlan(seed = 1): Plan {
  return planRequests(townPickups(), { fromMinute: 17 * 60, toMinute: 18 * 60, speed: 20, seed });
}

function play(city: City, toMs: number, everyMs = toMs): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < toMs; ) {
    at = Math.min(toMs, at + everyMs);
    steps.push(...city.advance(at));
  }
  return steps;
}

const isFix = (step: Step): step is Fix => step.kind === 'fix';
const isRequest = (step: Step): step is Request => step.kind === 'request';

function metersPerSecond(from: Fix, to: Fix): number {
  return (haversineKm(from.place, to.place) * 1000) / ((to.atMs - from.atMs) / 1000);
}

function fixesOf(steps: readonly Step[], driver: number): Fix[] {
  return steps.filter(isFix).filter((fix) => fix.driver === driver);
}

describe('the plan', () => {
  it('moves the window to 0 and compresses it by the speed', () => {
    const plan = townPlan();
    expect(plan.lengthMs).toBe((60 * minute) / 20);
    expect(plan.requests).toHaveLength(300);
    for (const [i, { atMs }] of plan.requests.entries()) {
      expect(atMs).toBeGreaterThanOrEqual(plan.requests[i - 1]?.atMs ?? 0);
      expect(atMs).toBeLessThan(plan.lengthMs);
    }
  });

  it('leaves out what lies before and after the window', () => {
    const pickups = townPickups();
    const plan = planRequests(pickups, { fromMinute: 17 * 60 + 30, toMinute: 17 * 60 + 40, speed: 1, seed: 1 });
    expect(plan.requests).toHaveLength(50);
    expect(plan.places).toEqual(pickups.slice(150, 200).map(({ place }) => place));
  });

  it('keeps seconds where the file has them', () => {
    const place = { latitude: 40.75, longitude: -73.98 };
    const at = [0, 61_000, 150_000].map((ms) => ({ atMs: midnight + ms, place }));
    const plan = planRequests(at, { fromMinute: 0, toMinute: undefined, speed: 10, seed: 1 });
    expect(plan.requests.map(({ atMs }) => atMs)).toEqual([0, 6_100, 15_000]);
  });

  it('begins at the first pickup of the file when no time is given', () => {
    const place = { latitude: 40.75, longitude: -73.98 };
    const at = [9, 10].map((hour) => ({ atMs: midnight + hour * 3_600_000 + 1, place }));
    const plan = planRequests(at, { fromMinute: undefined, toMinute: undefined, speed: 10, seed: 1 });
    expect(plan.requests.map(({ atMs }) => atMs)).toEqual([0, 360_000]);
  });

  it('lets one rider in three ask for the price first', () => {
    expect(townPlan().requests.filter(({ asksFirst }) => asksFirst)).toHaveLength(100);
  });

  it('takes another pickup as the dropoff, a real ride away', () => {
    const { requests, places } = townPlan();
    for (const { pickup, dropoff } of requests) {
      expect(places).toContainEqual(dropoff);
      expect(haversineKm(pickup, dropoff)).toBeGreaterThanOrEqual(1);
    }
  });

  it('is the same for the same seed and another for another', () => {
    expect(townPlan(7)).toEqual(townPlan(7));
    expect(townPlan(8).requests).not.toEqual(townPlan(7).requests);
  });
});

describe('the city', () => {
  const options = { drivers: 40, seed: 1, loop: false };

  it('plays the same steps however its time is cut', () => {
    const whole = play(new City(townPlan(), options), 120_000);
    expect(play(new City(townPlan(), options), 120_000, 170)).toEqual(whole);
    expect(play(new City(townPlan(), { ...options, seed: 2 }), 120_000)).not.toEqual(whole);
  });

  it('never lets a driver go faster than 30 m/s', () => {
    const steps = play(new City(townPlan(), options), 180_000);
    const speeds = Array.from({ length: 40 }, (_, driver) => fixesOf(steps, driver)).flatMap((fixes) =>
      fixes.slice(1).map((fix, i) => metersPerSecond(fixes[i] ?? fix, fix)),
    );
    expect(Math.max(...speeds)).toBeLessThanOrEqual(30);
    // Somebody drives at all, or the limit would be kept by standing still.
    expect(Math.max(...speeds)).toBeGreaterThan(20);
    expect(Math.max(...steps.filter(isFix).map(({ speed }) => speed))).toBeLessThanOrEqual(fastestMetersPerSecond);
  });

  it('has every driver report every five seconds, spread over them', () => {
    const steps = play(new City(townPlan(), options), 60_000).filter(isFix);
    for (let driver = 0; driver < 40; driver += 1) {
      const times = fixesOf(steps, driver).map(({ atMs }) => atMs);
      expect(times.slice(1).map((atMs, i) => atMs - (times[i] ?? 0))).toEqual(times.slice(1).map(() => fixEveryMs));
    }
    const inFirstSecond = steps.filter(({ atMs }) => atMs < 1_000);
    expect(inFirstSecond).toHaveLength(8);
  });

  it('sends the nearest driver who is free', () => {
    const places = [
      { latitude: 40.7, longitude: -73.98 },
      { latitude: 40.75, longitude: -73.98 },
      { latitude: 40.8, longitude: -73.98 },
    ];
    const drivers = places.map((place, i) => makeDriver(i, 1, [place]));
    const near = (place: Point) => nearestAvailable(drivers, place, 0)?.index;
    expect(near({ latitude: 40.76, longitude: -73.98 })).toBe(1);
    const middle = drivers[1];
    if (middle !== undefined)
      middle.leg = leg('with-rider', positionOf(middle, 0), { latitude: 41, longitude: -73 }, 0, 20);
    expect(near({ latitude: 40.76, longitude: -73.98 })).toBe(2);
    expect(near({ latitude: 40.74, longitude: -73.98 })).toBe(0);
    expect(nearestAvailable([], { latitude: 40.74, longitude: -73.98 }, 0)).toBeUndefined();
  });

  it('keeps a driver occupied from the request until it is at the dropoff, and free again there', () => {
    const plan = townPlan();
    const alone = new City({ ...plan, requests: plan.requests.slice(0, 1) }, options);
    const steps = play(alone, 180_000);
    const request = steps.filter(isRequest).find(({ driver }) => driver !== undefined);
    if (request?.driver === undefined) throw new Error('nobody took a request');
    const after = fixesOf(steps, request.driver).filter(({ atMs }) => atMs >= request.atMs);
    const freeAgain = after.findIndex(({ available }) => available);
    const [last, first] = [after[freeAgain - 1], after[freeAgain]];
    if (last === undefined || first === undefined) throw new Error('the driver was never free again');
    const { pickup, dropoff } = request.request;
    // At 29 m/s at most it cannot have been at both places any earlier.
    expect(first.atMs - request.atMs).toBeGreaterThanOrEqual(
      (haversineKm(pickup, dropoff) * 1e6) / fastestMetersPerSecond,
    );
    // Since its last occupied fix it drove to the dropoff, and then wandered for less than five seconds.
    expect(haversineKm(first.place, dropoff) * 1000).toBeLessThan(15 * 5);
    expect(haversineKm(last.place, dropoff) * 1000).toBeLessThanOrEqual(fastestMetersPerSecond * 5 + 1);
  });

  it('gives no driver two riders at a time, and leaves a rider alone when nobody is free', () => {
    const steps = play(new City(townPlan(), { drivers: 3, seed: 1, loop: false }), 180_000);
    const requests = steps.filter(isRequest);
    expect(requests.some(({ driver }) => driver === undefined)).toBe(true);
    for (let driver = 0; driver < 3; driver += 1) {
      const taken = requests.filter((request) => request.driver === driver);
      for (const [i, { atMs }] of taken.slice(1).entries()) {
        const before = taken[i]?.request;
        if (before === undefined) throw new Error('no ride before');
        const shortestMs = (haversineKm(before.pickup, before.dropoff) * 1e6) / fastestMetersPerSecond;
        expect(atMs - (taken[i]?.atMs ?? 0)).toBeGreaterThanOrEqual(shortestMs);
      }
    }
  });

  it('lets riders come only after every driver was seen', () => {
    const steps = play(new City(townPlan(), options), 60_000);
    const first = steps.findIndex(isRequest);
    expect(
      new Set(
        steps
          .slice(0, first)
          .filter(isFix)
          .map(({ driver }) => driver),
      ).size,
    ).toBe(40);
  });

  it('ends with its window, or begins again with other riders', () => {
    const plan = townPlan();
    expect(new City(plan, options).endMs).toBe(leadInMs + plan.lengthMs);
    const once = play(new City(plan, options), 3 * plan.lengthMs).filter(isRequest);
    expect(once).toHaveLength(300);
    const looped = play(new City(plan, { ...options, loop: true }), leadInMs + 2 * plan.lengthMs - 1).filter(isRequest);
    expect(looped).toHaveLength(600);
    expect(looped.map(({ n }) => n)).toEqual(looped.map((_, i) => i));
    expect(looped[300]?.atMs).toBe((looped[0]?.atMs ?? 0) + plan.lengthMs);
  });
});
