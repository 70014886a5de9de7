import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse/sync';
import type { Point } from '../../domain/distance.ts';
import { UsageError } from '../context.ts';

export interface Pickup {
  /** The local time of the file read as if it were UTC, ms: only differences and times of day are used. */
  readonly atMs: number;
  readonly place: Point;
}

export interface BrokenLine {
  /** Counted from 1, with the heading. */
  readonly line: number;
  readonly reason: string;
}

export interface PickupFile {
  /** In order of time. */
  readonly pickups: readonly Pickup[];
  readonly brokenLines: number;
  /** The first of the broken lines. */
  readonly broken: readonly BrokenLine[];
}

const mostShown = 20;

/** Reads a file with the columns `requested_at`, `lat`, `lng` (others are ignored); what cannot be used is skipped. */
export async function readPickups(path: string): Promise<PickupFile> {
  const input = createReadStream(path, 'utf8');
  try {
    return await parsePickups(createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }));
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${path}: ${error.message}`);
    if (error instanceof Error && 'code' in error) throw new UsageError(`${path} cannot be read (${error.message})`);
    throw error;
  } finally {
    input.destroy();
  }
}

/** Every line stands for itself, so a quote that is never closed spoils one line and not the rest of the file. */
export async function parsePickups(lines: Iterable<string> | AsyncIterable<string>): Promise<PickupFile> {
  const pickups: Pickup[] = [];
  const broken: BrokenLine[] = [];
  let brokenLines = 0;
  let line = 0;
  let columns: Columns | undefined;
  for await (const text of lines) {
    line += 1;
    if (columns === undefined) {
      columns = columnsOf(text);
    } else if (text.trim() !== '') {
      const pickup = pickupOf(text, columns);
      if (typeof pickup !== 'string') pickups.push(pickup);
      else {
        brokenLines += 1;
        if (broken.length < mostShown) broken.push({ line, reason: pickup });
      }
    }
  }
  if (pickups.length === 0) throw new UsageError('there is no usable pickup in it');
  return { pickups: pickups.toSorted((one, other) => one.atMs - other.atMs), brokenLines, broken };
}

interface Columns {
  readonly time: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly count: number;
}

function columnsOf(heading: string): Columns {
  const names = (fieldsOf(heading.replace(/^\uFEFF/, '')) ?? []).map((name) => name.trim().toLowerCase());
  const [time = -1, latitude = -1, longitude = -1] = ['requested_at', 'lat', 'lng'].map((name) => names.indexOf(name));
  if (Math.min(time, latitude, longitude) < 0) {
    throw new UsageError('the first line must name the columns requested_at, lat and lng');
  }
  return { time, latitude, longitude, count: names.length };
}

/** The pickup, or what is wrong with the line. */
function pickupOf(text: string, columns: Columns): Pickup | string {
  const fields = fieldsOf(text);
  if (fields === undefined) return 'a quote is not closed';
  if (fields.length !== columns.count) return `${fields.length} fields instead of ${columns.count}`;
  const atMs = timeOf(fields[columns.time] ?? '');
  if (atMs === undefined) return 'requested_at is not a time such as 2014-04-04T17:05:00';
  const latitude = degrees(fields[columns.latitude] ?? '', 90);
  if (latitude === undefined) return 'lat is not a number from -90 to 90';
  const longitude = degrees(fields[columns.longitude] ?? '', 180);
  if (longitude === undefined) return 'lng is not a number from -180 to 180';
  return { atMs, place: { latitude, longitude } };
}

function fieldsOf(text: string): string[] | undefined {
  if (!text.includes('"')) return text.split(',');
  try {
    const [fields]: string[][] = parse(text);
    return fields;
  } catch {
    return undefined;
  }
}

function timeOf(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?$/.exec(text.trim());
  if (match === null) return undefined;
  const clean = `${match[1]}T${match[2]}${match[3] ?? ':00'}`;
  const atMs = Date.parse(`${clean}Z`);
  // The 30th of February would quietly become a day in March.
  return Number.isNaN(atMs) || !new Date(atMs).toISOString().startsWith(clean) ? undefined : atMs;
}

function degrees(text: string, most: number): number | undefined {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Math.abs(value) <= most ? value : undefined;
}
