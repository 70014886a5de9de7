import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BoardEntry, Decision } from '../../domain/decision.ts';
import { eventually } from '../harness.ts';
import { boardEntry, dropoff, healthyFeed, inZone, putOnBoard, startApi, type TestApi } from './start-api.ts';

let api: TestApi;
let rider: string;
beforeAll(async () => {
  api = await startApi();
  rider = await api.token('rider', 'ann');
  await healthyFeed(api);
});
afterAll(() => api[Symbol.asyncDispose]());

interface Counted {
  readonly supply: number;
  readonly demand: number;
  readonly smoothedSupply: number;
  readonly smoothedDemand: number;
  readonly neighbours: number;
}

let version = 10;

/** A price as the zone's workflow makes it, with the sentence of the curve that names its figures. */
async function priced(counted: Counted, now: Partial<BoardEntry['counts']> = {}): Promise<void> {
  version += 1;
  const entry = boardEntry(api.zoneId, { version });
  const { smoothedDemand, smoothedSupply, supply, demand } = counted;
  const detail = `linear: demand ${smoothedDemand} / supply ${smoothedSupply} = ${smoothedDemand / smoothedSupply}`;
  const factors = [
    { rule: 'algorithm', before: 1, after: 1.8, detail },
    { rule: 'gradual', before: 1.8, after: 1.5, detail: 'within 0.7 and 1.5 in this period' },
  ];
  const decision: Decision = { ...boardDecision(entry), ...counted, factors };
  await putOnBoard(api, { ...entry, decision, counts: { ...entry.counts, supply, demand, ...now } });
  await eventually(() => api.service.board.entry(`${api.zoneId}:car`)?.version === version);
}

function boardDecision({ decision }: BoardEntry): Decision {
  if (decision === null) throw new Error('the entry has no decision');
  return decision;
}

/** Everything that can be seen of the zone with these tokens, as text: the zone, a new quote, and the quote again. */
async function seenBy(zoneToken: string): Promise<string> {
  const zone = await api.get(`/api/v1/pricing/zones/${api.zoneId}`, zoneToken);
  const asked = { pickup_location: inZone, dropoff_location: dropoff, vehicle_type: 'standard' };
  const quote = await api.post('/api/v1/pricing/estimate', asked, rider);
  const again = await api.get(`/api/v1/pricing/quotes/${quote.body.quote_id}`, rider);
  const byOperator = await api.get(`/api/v1/pricing/quotes/${quote.body.quote_id}`, await api.token('operator'));
  const stored = await api.pool.query('select details::text from quotes where quote_id = $1', [quote.body.quote_id]);
  expect([zone.status, quote.status, again.status, byOperator.status]).toEqual([200, 200, 200, 200]);
  return JSON.stringify([zone.body, quote.body, again.body, byOperator.body, stored.rows]);
}

const many: Counted = { supply: 7, demand: 8.5, smoothedSupply: 7, smoothedDemand: 8.5, neighbours: 0 };

describe('the steps of a price', () => {
  it.each<[string, Counted, Partial<BoardEntry['counts']>]>([
    ['one driver', { ...many, supply: 1, smoothedSupply: 1 }, {}],
    ['two riders', { ...many, demand: 2, smoothedDemand: 2 }, {}],
    ['few only after smoothing', { ...many, smoothedSupply: 2.6 }, {}],
    ['few only by now', many, { supply: 1 }],
    ['figures with those of neighbours in them', { ...many, smoothedSupply: 6.1, neighbours: 1 }, {}],
  ])('name no figures to riders and drivers at %s', async (_name, counted, now) => {
    await priced(counted, now);
    for (const role of ['rider', 'driver'] as const) {
      const text = await seenBy(await api.token(role, 'ann'));
      expect(text).not.toMatch(/demand [\d.]+|supply [\d.]+|supply_count\\?":[12]\b|demand_count\\?":[12]\b/);
      expect(text).toContain('linear: demand over supply');
      expect(text).toContain('within 0.7 and 1.5 in this period');
    }
  });

  it('name them where they hide everybody', async () => {
    await priced(many);
    expect(await seenBy(rider)).toContain('demand 8.5 / supply 7');
  });

  it.each(['operator', 'admin', 'service'] as const)('are whole to the %s of a zone', async (role) => {
    await priced({ ...many, supply: 1, smoothedSupply: 1 });
    const { body } = await api.get(`/api/v1/pricing/zones/${api.zoneId}`, await api.token(role));
    expect(JSON.stringify(body)).toContain('linear: demand 8.5 / supply 1 = 8.5');
  });
});
