import { haversineKm, type Point } from './distance.ts';
import type { VehicleType } from './ids.ts';
import { currencyDecimals, divideHalfUp, millionths, parseDecimal } from './money.ts';
import { type Hundredths, quantise } from './units.ts';

/** What a ride costs in a market. Amounts and factors are decimal text in major units, so that no cent is lost. */
export interface Tariff {
  /** ISO 4217 code; it decides how many decimals the minor unit has. */
  readonly currency: string;
  readonly flagfall: string;
  readonly perKm: string;
  readonly perMin: string;
  readonly minimum: string;
  /** Road distance over straight distance. */
  readonly circuity: number;
  readonly speedKmh: number;
  readonly typeFactors: Readonly<Record<VehicleType, string>>;
}

export const defaultTariff: Tariff = {
  currency: 'USD',
  flagfall: '2.50',
  perKm: '1.20',
  perMin: '0.29',
  minimum: '5.00',
  circuity: 1.48,
  speedKmh: 10.5,
  typeFactors: { standard: '1', xl: '1.5', premium: '2.0', scooter: '0.5', bike: '0.4' },
};

/** A fare with the displayed figures that it was computed from. */
export interface Fare {
  /** To a tenth of a kilometre, at least 0.1. */
  readonly distanceKm: number;
  /** Whole minutes, at least 1. */
  readonly durationMin: number;
  readonly baseFareMinor: number;
  readonly finalFareMinor: number;
  readonly currency: string;
}

/** `multiplier` in hundredths. Throws RangeError where a tariff's text is not a decimal. */
export function fare(pickup: Point, dropoff: Point, type: VehicleType, tariff: Tariff, multiplier: Hundredths): Fare {
  const tenths = roadTenthsOfKm(pickup, dropoff, tariff.circuity);
  const durationMin = minutesFor(tenths, tariff.speedKmh);
  const baseFareMinor = baseFare(tenths, durationMin, type, tariff);
  return {
    distanceKm: tenths / 10,
    durationMin,
    baseFareMinor,
    finalFareMinor: surged(baseFareMinor, multiplier),
    currency: tariff.currency,
  };
}

/** A base fare under a multiplier in hundredths, half up to a whole minor unit. */
export function surged(baseFareMinor: number, multiplier: Hundredths): number {
  return Number(divideHalfUp(BigInt(baseFareMinor) * BigInt(multiplier), 100n));
}

function roadTenthsOfKm(pickup: Point, dropoff: Point, circuity: number): number {
  return Math.max(1, Math.floor(quantise(haversineKm(pickup, dropoff) * circuity * 10) + 0.5));
}

function minutesFor(tenths: number, speedKmh: number): number {
  return Math.max(1, Math.floor(quantise((tenths * 6) / speedKmh) + 0.5));
}

/** Rounded once, at the very end: all before is exact, in millionths of a major unit and tenths of a kilometre. */
function baseFare(tenths: number, minutes: number, type: VehicleType, tariff: Tariff): number {
  const ride =
    parseDecimal(tariff.flagfall) * 10n +
    parseDecimal(tariff.perKm) * BigInt(tenths) +
    parseDecimal(tariff.perMin) * BigInt(minutes) * 10n;
  const least = parseDecimal(tariff.minimum) * 10n;
  const exact = (ride > least ? ride : least) * parseDecimal(tariff.typeFactors[type]);
  const minorUnits = 10n ** BigInt(currencyDecimals(tariff.currency));
  return Number(divideHalfUp(exact * minorUnits, 10n * millionths * millionths));
}
