import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sections } from '../../cli/vector-sections.ts';
import { allAgree, runVectors } from '../../cli/vectors.ts';

const file = new URL('../vectors/pricing.json', import.meta.url);
const text = readFileSync(file, 'utf8');
const results = runVectors(JSON.parse(text));

/** How many cases the published file holds; fewer means that the file or its reading was cut. */
const leastCases: Readonly<Record<string, number>> = {
  piecewise: 37,
  two_slope: 37,
  linear: 74,
  exponential: 74,
  adaptive_factor: 6,
  decay: 10,
  smoothing: 8,
  rate_and_settle: 120,
  guard: 40,
  defaults: 1,
  drift: 8,
  earnings: 8,
  fare: 37,
  inefficiency: 8,
  weighted_average_merge: 8,
};

describe('worked values', () => {
  it('has every section that the code knows to run, and no other', () => {
    expect(results.map(({ section }) => section).toSorted()).toEqual(Object.keys(sections).toSorted());
    expect(Object.keys(leastCases).toSorted()).toEqual(Object.keys(sections).toSorted());
  });

  it.each(results)('agrees in every case of $section', ({ section, cases, disagreements }) => {
    expect(disagreements).toEqual([]);
    expect(cases).toBeGreaterThanOrEqual(leastCases[section] ?? Number.POSITIVE_INFINITY);
  });
});

describe('the runner of worked values', () => {
  it.each([
    ['a multiplier that is off by 0.000003', 'drift', { multiplier: 2.15, stale_periods: 1, after: 1.075003 }],
    [
      'a published multiplier that is off by a hundredth',
      'rate_and_settle',
      firstOf('rate_and_settle', { published: 1.01 }),
    ],
    ['a fare that is off by a minor unit', 'fare', firstOf('fare', { final_fare_minor: 1104 })],
    ['a case without its inputs', 'guard', {}],
    ['a section nobody knows', 'horoscope', { sign: 'leo' }],
    ['a constant of another value', 'defaults', { driver_share: 0.8 }],
    ['a constant nobody knows', 'defaults', { gravity: 9.81 }],
  ])('reports %s', (_name, section, given) => {
    const [result] = runVectors({ [section]: section === 'defaults' ? given : [given] });
    expect(result).toMatchObject({ cases: 1, agreed: 0, disagreements: [{ index: 0, given }] });
    expect(allAgree(result === undefined ? [] : [result])).toBe(false);
  });

  it('takes a difference of a millionth', () => {
    const results = runVectors({ drift: [{ multiplier: 2.15, stale_periods: 1, after: 1.075001 }] });
    expect(allAgree(results)).toBe(true);
  });

  it.each([[{}], [{ drift: [] }]])('does not call %j an agreement', (document) => {
    expect(allAgree(runVectors(document))).toBe(false);
  });
});

function firstOf(section: string, change: object): object {
  const document: Record<string, object[]> = JSON.parse(text);
  return { ...document[section]?.[0], ...change };
}
