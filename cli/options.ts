import { InvalidArgumentError } from 'commander';
import { type MarketId, parseMarketId } from '../domain/ids.ts';

/** Parsers of flags that several commands share; commander shows what they throw as one line. */

/** Minutes since midnight; 24:00 is the end of the day. */
export function timeOfDay(text: string): number {
  const match = /^(\d{1,2}):([0-5]\d)$/.exec(text);
  const minutes = Number(match?.[1]) * 60 + Number(match?.[2]);
  if (!(minutes <= 24 * 60)) throw new InvalidArgumentError('a time of day is written as 17:00');
  return minutes;
}

/** The same check for a time that is passed on as it was written. */
export function timeText(text: string): string {
  timeOfDay(text);
  return text;
}

export function speed(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 10_000)) throw new InvalidArgumentError('a number above 0, at most 10000');
  return value;
}

export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`a whole number from ${least} to ${most}`);
    }
    return value;
  };
}

const highestPort = 65_535;

export const port = whole(1, highestPort);

/** For a port that stands in the environment; undefined when it is none. */
export function parsePort(text: string): number | undefined {
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 && value <= highestPort ? value : undefined;
}

export function market(text: string): MarketId {
  const id = parseMarketId(text);
  if (id === undefined) throw new InvalidArgumentError('a market id is a short slug such as nyc');
  return id;
}
