import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { zoneCell } from '../../geo/cells.ts';

const lines = readFileSync(new URL('../vectors/h3-res9-centers.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '');

const cases = lines.map((line) => {
  const [cell = '', latitude, longitude] = line.trim().split(/\s+/);
  const east = Number(longitude);
  return { cell, latitude: Number(latitude), longitude: east > 180 ? east - 360 : east };
});

// The published centres are rounded, so they are only asked to lie in their cell.
it('finds the cell of each published centre', () => {
  expect(cases).toHaveLength(1000);
  expect(cases.filter(({ cell, ...point }) => zoneCell(point) !== cell)).toEqual([]);
});
