import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parsePickups, readPickups } from '../../cli/demo/pickups.ts';

const folder = mkdtempSync(join(tmpdir(), 'equilibrium-pickups-'));
afterAll(() => rmSync(folder, { recursive: true }));

const heading = 'requested_at,lat,lng,base';
const good = '2014-04-04T17:05:00,40.75,-73.98,B1';

describe('a file of pickups', () => {
  it('is read in order of time, whatever the order of lines and columns', async () => {
    const { pickups, brokenLines } = await parsePickups([
      '\uFEFFbase,LNG,lat,requested_at',
      'B1,-73.98,40.75,2014-04-04T17:05:00',
      '"B,2",-73.99,40.76,2014-04-04 17:04',
    ]);
    expect(brokenLines).toBe(0);
    expect(pickups).toEqual([
      { atMs: Date.UTC(2014, 3, 4, 17, 4), place: { latitude: 40.76, longitude: -73.99 } },
      { atMs: Date.UTC(2014, 3, 4, 17, 5), place: { latitude: 40.75, longitude: -73.98 } },
    ]);
  });

  it.each([
    ['a missing field', '2014-04-04T17:05:00,40.75', '2 fields instead of 4'],
    ['a field too many', `${good},x`, '5 fields instead of 4'],
    ['no time', 'yesterday,40.75,-73.98,B1', 'requested_at is not a time such as 2014-04-04T17:05:00'],
    [
      'a day that does not exist',
      '2014-02-30T17:05:00,40.75,-73.98,B1',
      'requested_at is not a time such as 2014-04-04T17:05:00',
    ],
    [
      'an hour that does not exist',
      '2014-04-04T25:05:00,40.75,-73.98,B1',
      'requested_at is not a time such as 2014-04-04T17:05:00',
    ],
    ['a latitude beyond the pole', '2014-04-04T17:05:00,91,-73.98,B1', 'lat is not a number from -90 to 90'],
    ['an empty latitude', '2014-04-04T17:05:00,,-73.98,B1', 'lat is not a number from -90 to 90'],
    ['an infinite longitude', '2014-04-04T17:05:00,40.75,1e400,B1', 'lng is not a number from -180 to 180'],
    ['a word for a longitude', '2014-04-04T17:05:00,40.75,west,B1', 'lng is not a number from -180 to 180'],
    ['a quote that is never closed', '2014-04-04T17:05:00,40.75,-73.98,"B1', 'a quote is not closed'],
  ])('counts, names and skips a line with %s', async (_what, line, reason) => {
    const read = await parsePickups([heading, good, line, '', good]);
    expect(read.pickups).toHaveLength(2);
    expect(read.brokenLines).toBe(1);
    expect(read.broken).toEqual([{ line: 3, reason }]);
  });

  it('counts all broken lines and lists the first', async () => {
    const { brokenLines, broken } = await parsePickups([heading, good, ...Array.from({ length: 50 }, () => 'x')]);
    expect(brokenLines).toBe(50);
    expect(broken).toHaveLength(20);
  });

  it.each([
    [
      'a heading without lat',
      ['requested_at,lng', 'x,1'],
      'the first line must name the columns requested_at, lat and lng',
    ],
    ['no usable line', [heading, 'x'], 'there is no usable pickup in it'],
    ['nothing at all', [], 'there is no usable pickup in it'],
  ])('is refused with %s', async (_what, lines, message) => {
    await expect(parsePickups(lines)).rejects.toMatchObject({ name: 'UsageError', message });
  });

  it('is named in the sentence that refuses it', async () => {
    const path = join(folder, 'empty.csv');
    writeFileSync(path, heading);
    await expect(readPickups(path)).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining(path),
    });
    const absent = join(folder, 'absent.csv');
    await expect(readPickups(absent)).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining(absent),
    });
  });

  it('is read from a file with Windows line ends', async () => {
    const path = join(folder, 'windows.csv');
    writeFileSync(path, `${heading}\r\n${good}\r\n`);
    expect((await readPickups(path)).pickups).toHaveLength(1);
  });

  it('of the shipped day has no broken line', async () => {
    const { pickups, brokenLines } = await readPickups('data/nyc-uber-pickups-2014-04-04.csv');
    expect([pickups.length, brokenLines]).toEqual([8978, 0]);
  });
});
