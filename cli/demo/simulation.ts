import type { Point } from '../../domain/distance.ts';
import { type Driver, leg, makeDriver, nearestAvailable, positionOf, settle, type Town } from './driver.ts';
import type { Plan, PlannedRequest } from './plan.ts';

/** What happens in the city, in order of time. `atMs` counts wall time since the begin, `n` counts its kind from 0. */
export type Step =
  | {
      readonly kind: 'fix';
      readonly n: number;
      readonly atMs: number;
      readonly driver: number;
      readonly place: Point;
      /** m/s. */
      readonly speed: number;
      /** Degrees clockwise from north. */
      readonly heading: number;
      readonly available: boolean;
    }
  | {
      readonly kind: 'request';
      readonly n: number;
      readonly atMs: number;
      readonly request: PlannedRequest;
      /** Who took it; undefined when nobody was free. */
      readonly driver: number | undefined;
    };

export type Fix = Extract<Step, { kind: 'fix' }>;
export type Request = Extract<Step, { kind: 'request' }>;

export interface CityOptions {
  readonly drivers: number;
  readonly seed: number;
  /** Plays the plan again and again. */
  readonly loop: boolean;
}

/** Every driver reports once in this time, spread evenly over it. */
export const fixEveryMs = 5_000;

/** Requests begin when every driver has been seen once: a city without drivers would price scarcity. */
export const leadInMs = fixEveryMs + 1_000;

/** Wall time of the n-th fix since the begin, ms; drivers report in turn. */
export function fixTimeMs(n: number, drivers: number): number {
  return Math.floor((n * fixEveryMs) / drivers);
}

/** Drivers and riders of a plan. No clock and no chance: how time is cut into calls of `advance` changes nothing. */
export class City {
  readonly #plan: Plan;
  readonly #options: CityOptions;
  readonly #town: Town;
  #fixes = 0;
  #requests = 0;
  #served = 0;

  constructor(plan: Plan, options: CityOptions) {
    this.#plan = plan;
    this.#options = options;
    const { places } = plan;
    const drivers = Array.from({ length: options.drivers }, (_, i) => makeDriver(i, options.seed, places));
    this.#town = { drivers, places };
  }

  /** Requests that a driver took. */
  get served(): number {
    return this.#served;
  }

  get requests(): number {
    return this.#requests;
  }

  /** Wall time at which the last request has been made and the window is over; never in a loop. */
  get endMs(): number {
    return this.#options.loop ? Number.POSITIVE_INFINITY : leadInMs + this.#plan.lengthMs;
  }

  /** All steps up to and including `toMs` that were not given out before. */
  *advance(toMs: number): Generator<Step, void> {
    for (;;) {
      const fixAt = this.#nextFixMs();
      const requestAt = this.#nextRequestMs();
      if (Math.min(fixAt, requestAt) > toMs) return;
      yield fixAt <= requestAt ? this.#fix(fixAt) : this.#request(requestAt);
    }
  }

  #nextFixMs(): number {
    return fixTimeMs(this.#fixes, this.#options.drivers);
  }

  #nextRequestMs(): number {
    const { requests, lengthMs } = this.#plan;
    const round = Math.floor(this.#requests / requests.length);
    const next = requests[this.#requests % requests.length];
    if (next === undefined || (round > 0 && !this.#options.loop)) return Number.POSITIVE_INFINITY;
    return leadInMs + round * lengthMs + next.atMs;
  }

  #fix(atMs: number): Step {
    const n = this.#fixes++;
    const { drivers } = this.#town;
    const driver = drivers[n % drivers.length];
    if (driver === undefined) throw new Error('a fix without a driver');
    settle(driver, atMs, this.#town);
    const { speed, heading, kind } = driver.leg;
    const place = rounded(positionOf(driver, atMs));
    return { kind: 'fix', n, atMs, driver: driver.index, place, speed, heading, available: kind === 'wander' };
  }

  #request(atMs: number): Step {
    const n = this.#requests++;
    const request = this.#plan.requests[n % this.#plan.requests.length];
    if (request === undefined) throw new Error('a request without a plan');
    const { drivers } = this.#town;
    for (const driver of drivers) settle(driver, atMs, this.#town);
    const driver = nearestAvailable(drivers, request.pickup, atMs);
    if (driver !== undefined) {
      this.#served += 1;
      drive(driver, request, atMs);
    }
    return { kind: 'request', n, atMs, request, driver: driver?.index };
  }
}

/** To the pickup and on to the dropoff without a stop; occupied from now until it is there. */
function drive(driver: Driver, { pickup, dropoff }: PlannedRequest, atMs: number): void {
  const { tripSpeed } = driver;
  driver.leg = leg('to-pickup', positionOf(driver, atMs), pickup, atMs, tripSpeed);
  driver.next = leg('with-rider', pickup, dropoff, driver.leg.endMs, tripSpeed);
}

/** A tenth of a metre, as a phone would say it. */
function rounded({ latitude, longitude }: Point): Point {
  return { latitude: Math.round(latitude * 1e6) / 1e6, longitude: Math.round(longitude * 1e6) / 1e6 };
}
