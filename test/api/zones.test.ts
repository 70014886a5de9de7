import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, services } from '../harness.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { boardEntry, healthyFeed, inCell, putOnBoard, startApi, type TestApi } from './start-api.ts';

let api: TestApi;
let proxy: Proxy;
let connection: Connection;
beforeAll(async () => {
  proxy = await startProxy(`temporal://${services().temporalAddress}`);
  connection = Connection.lazy({ address: new URL(proxy.url).host });
  const pingTemporal = () =>
    connection.withDeadline(Date.now() + 1_000, () => connection.workflowService.getSystemInfo({}));
  api = await startApi({ temporal: new Client({ connection }), pingTemporal });
  await healthyFeed(api);
  await putOnBoard(api, boardEntry(api.zoneId, { version: 4, multiplier: 125 }));
  await eventually(() => api.service.board.entry(`${api.zoneId}:car`));
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await connection.close();
  await proxy[Symbol.asyncDispose]();
});

const path = (zone: string) => `/api/v1/pricing/zones/${zone}`;
// oxlint-disable-next-line typescript/no-explicit-any -- an answer is looked into field by field
const carOf = (body: any) => body.prices.find((price: { vehicle_class: string }) => price.vehicle_class === 'car');

describe('the price of a zone', () => {
  it('is told per class with how it came about', async () => {
    const { status, body } = await api.get(path(api.zoneId), await api.token('operator'));
    expect(status).toBe(200);
    expect(body).toMatchObject({ zone_id: api.zoneId, zone_name: 'Midtown', market_id: api.market });
    expect(body.prices.map(({ vehicle_class: name }: { vehicle_class: string }) => name)).toEqual([
      'car',
      'scooter',
      'bike',
    ]);
    expect(carOf(body)).toMatchObject({
      surge_multiplier: 1.25,
      demand_level: 'moderate',
      price_version: 4,
      source: 'live',
      supply_count: 2,
      demand_count: 12,
      algorithm_used: 'linear',
      confidence_score: 0.9,
      smoothing_factor: 1.2,
      neighboring_zones_count: 1,
      config_version: 7,
      factors: [{ rule: 'linear', before: 1, after: 1.25 }],
      workflow: { workflow_id: `zone:${api.market}:${api.zoneId}:car` },
    });
    expect(body.prices[2]).toMatchObject({ surge_multiplier: 1, price_version: 0, source: 'live', factors: [] });
  });

  it.each(['rider', 'driver'] as const)('hides counts under three from a %s', async (role) => {
    const { body } = await api.get(path(api.zoneId), await api.token(role));
    expect(carOf(body)).toMatchObject({ supply_count: null, demand_count: 12 });
  });

  it('is there for a bare cell of the market', async () => {
    const place = api.service.deps.geography.map().at(inCell.latitude, inCell.longitude);
    const { status, body } = await api.get(path(place?.zoneId ?? ''), await api.token('rider'));
    expect([status, carOf(body).surge_multiplier]).toEqual([200, 1]);
  });

  it.each(['nowhere-at-all', '8828308281fffff', '88zz', 'A'])('is 404 for %s', async (zone) => {
    const answer = await api.get(path(zone), await api.token('rider'));
    expect(answer).toMatchObject({ status: 404, body: { type: '/problems/zone-not-found' } });
  });

  it('takes no question it does not know', async () => {
    const token = await api.token('rider');
    expect(await api.get(`${path(api.zoneId)}?from=memory`, token)).toMatchObject({ status: 422 });
    expect(await api.get(`${path(api.zoneId)}?form=workflow`, token)).toMatchObject({ status: 422 });
  });
});

describe('the workflow of a zone', () => {
  it('that does not run is left out', async () => {
    const { status, body } = await api.get(`${path(api.zoneId)}?from=workflow`, await api.token('operator'));
    expect([status, body.prices]).toEqual([200, []]);
  });

  it('that nobody works on is a problem, not a wait without end', async () => {
    const workflowId = `zone:${api.market}:${api.zoneId}:car`;
    const client = new Client({ connection });
    const handle = await client.workflow.start('zonePricing', {
      workflowId,
      taskQueue: `nobody-${api.market}`,
      args: [],
    });
    const answer = await api.get(`${path(api.zoneId)}?from=workflow`, await api.token('operator'));
    await handle.terminate('the test is over');
    expect(answer).toMatchObject({ status: 504, body: { type: '/problems/workflow-timeout' } });
  });

  it('is a problem while Temporal is away, and the board answers on', async () => {
    const token = await api.token('operator');
    const ready = await eventually(async () => {
      const answer = await api.get('/readyz');
      return answer.body.checks.temporal === 'ok' && answer;
    });
    expect(ready).toMatchObject({ status: 200, body: { status: 'ready' } });
    proxy.cut();
    const answer = await api.get(`${path(api.zoneId)}?from=workflow`, token);
    expect([503, 504]).toContain(answer.status);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(await api.get(path(api.zoneId), token)).toMatchObject({ status: 200 });
    proxy.mend();
  });
});
