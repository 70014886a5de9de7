import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driverMarketKey, redisKeys } from '../../db/redis-keys.ts';
import { eventually, services } from '../harness.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { inCell, inZone, outside, startApi, type TestApi } from './start-api.ts';

let proxy: Proxy;
let api: TestApi;
let service: string;
beforeAll(async () => {
  proxy = await startProxy(services().redisUrl);
  api = await startApi({ redisUrl: proxy.url });
  service = await api.token('service');
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

const batch = '/api/v1/locations:batch';

async function entries(name: 'locations' | 'demand'): Promise<Record<string, unknown>[]> {
  const found = await api.redis.xrange(redisKeys(api.market).streams[name], '-', '+');
  return found.map(([, fields]) => {
    expect(fields[0]).toBe('event');
    return JSON.parse(fields[1] ?? '');
  });
}

describe('a fix', () => {
  it('stands in the stream of its market, whole, when it is answered', async () => {
    const sentAt = Date.now();
    const timestamp = new Date(sentAt - 5_000).toISOString();
    const fix = { ...inZone, speed: 7.5, heading: 359.5, accuracy: 12, order_id: 'o-1', is_available: false };
    const more = { vehicle_type: 'xl', event_type: 'heartbeat', event_id: 'fix-1', timestamp };
    const driver = `d-${api.market}`;
    const answer = await api.post(`/api/v1/drivers/${driver}/location`, { ...fix, ...more }, service);
    expect(answer).toMatchObject({ status: 202, body: { event_id: 'fix-1' } });
    const { order_id: orderId, is_available: isAvailable, ...same } = fix;
    const [event] = (await entries('locations')).filter(({ eventId }) => eventId === 'fix-1');
    expect(event).toMatchObject({ ...same, orderId, isAvailable, kind: 'fix', driverId: driver, vehicleType: 'xl' });
    expect(event).toMatchObject({ eventType: 'heartbeat', timestampMs: sentAt - 5_000 });
    expect(Number(event?.['receivedAtMs'])).toBeGreaterThanOrEqual(sentAt);
  });

  it('is put into the stream as every store can hold it', async () => {
    const path = `/api/v1/drivers/edge-${api.market}/location`;
    const edges = { speed: 1e-60, heading: 359.999999999, accuracy: 100_000 };
    expect(await api.post(path, { ...inZone, ...edges, event_id: 'edge-1' }, service)).toMatchObject({ status: 202 });
    const tiny = { ...inZone, driver_id: `edge-${api.market}`, heading: 1e-310, accuracy: 5e-324, event_id: 'edge-2' };
    const huge = { ...tiny, accuracy: 1e300, event_id: 'edge-3' };
    const bulk = await api.post(batch, { events: [tiny, huge] }, service);
    expect(bulk.body).toMatchObject({ accepted: 1, rejected: [{ index: 1, code: 'invalid-request' }] });
    const found = (await entries('locations')).filter(({ eventId }) => String(eventId).startsWith('edge-'));
    expect(found.map(({ speed, heading, accuracy }) => [speed, heading, accuracy])).toEqual([
      [0, 0, 100_000],
      [undefined, 0, 0],
    ]);
  });

  it('gets an id and the time of its arrival when it brings none', async () => {
    const answer = await api.post(`/api/v1/drivers/d-${api.market}/location`, inCell, service);
    expect(answer.body.event_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    const [event] = (await entries('locations')).filter(({ eventId }) => eventId === answer.body.event_id);
    expect(event?.['timestampMs']).toBe(event?.['receivedAtMs']);
  });

  it('outside every market goes to the market its driver was last seen in', async () => {
    const driver = `gone-${api.market}`;
    const path = `/api/v1/drivers/${driver}/location`;
    expect(await api.post(path, outside, service)).toMatchObject({ status: 422 });
    expect(await api.post(path, inZone, service)).toMatchObject({ status: 202 });
    expect(await api.post(path, { ...outside, event_id: 'left-1' }, service)).toMatchObject({ status: 202 });
    expect((await entries('locations')).map(({ eventId }) => eventId)).toContain('left-1');
    await api.redis.del(driverMarketKey(driver));
  });
});

const driverId = () => `bulk-${api.market}`;
const many = (count: number) => Array.from({ length: count }, () => ({ ...inZone, driver_id: driverId() }));
const line = (id: string) => JSON.stringify({ ...inCell, driver_id: driverId(), event_id: id });

describe('a bulk of fixes', () => {
  it('keeps the good ones and says what is wrong with each other', async () => {
    const good = { ...inZone, driver_id: driverId(), event_id: 'b-1' };
    const events = [
      good,
      { ...good, latitude: 91 },
      'no object',
      { ...good, ...outside },
      inZone,
      { ...good, event_id: 'b-2' },
    ];
    const answer = await api.post(batch, { events }, service);
    expect(answer).toMatchObject({ status: 202, body: { accepted: 2 } });
    expect(answer.body.rejected).toMatchObject([
      { index: 1, code: 'invalid-request', detail: expect.stringContaining('latitude') },
      { index: 2, code: 'invalid-request' },
      // The first fix of the same bulk was not seen before, so its driver has no market yet.
      { index: 3, code: 'outside-service-area' },
      { index: 4, code: 'invalid-request', detail: expect.stringContaining('driver_id') },
    ]);
    const ids = (await entries('locations')).map(({ eventId }) => eventId);
    expect(ids.filter((id) => id === 'b-1' || id === 'b-2')).toEqual(['b-1', 'b-2']);
  });

  it('may come as one JSON object per line', async () => {
    const init = {
      method: 'POST',
      headers: { authorization: `Bearer ${service}`, 'content-type': 'application/x-ndjson' },
    };
    const answer = await api.send(batch, { ...init, body: `${line('n-1')}\n{broken\n\n${line('n-2')}\n` });
    expect(answer).toMatchObject({
      status: 202,
      body: { accepted: 2, rejected: [{ index: 1, code: 'malformed-json' }] },
    });
  });

  it('takes a thousand and refuses one more', async () => {
    expect(await api.post(batch, { events: many(1_000) }, service)).toMatchObject({
      status: 202,
      body: { accepted: 1_000 },
    });
    expect(await api.post(batch, { events: many(1_001) }, service)).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'events' }] },
    });
    expect(await api.post(batch, { events: [] }, service)).toMatchObject({ status: 422 });
  });
});

describe('a demand event', () => {
  it('stands in the stream without the name of its rider', async () => {
    const event = { event_id: 'q-1', kind: 'ride_request', ...inZone, vehicle_type: 'bike', user_id: 'carol-7' };
    expect(await api.post('/api/v1/demand-events', event, service)).toMatchObject({
      status: 202,
      body: { event_id: 'q-1' },
    });
    expect(await api.post('/api/v1/demand-events', { ...event, event_id: 'q-2' }, service)).toMatchObject({
      status: 202,
    });
    const [first, second] = await entries('demand');
    expect(first).toMatchObject({ eventId: 'q-1', kind: 'ride_request', vehicleType: 'bike', ...inZone });
    expect(JSON.stringify(first)).not.toContain('carol');
    expect(first?.['rider']).toMatch(/^[\w-]{22}$/);
    expect(second?.['rider']).toBe(first?.['rider']);
  });

  it('counts the same rider alike whether the app or a service speaks', async () => {
    const event = { kind: 'search', ...inZone };
    await api.post('/api/v1/demand-events', { ...event, event_id: 'q-3' }, await api.token('rider', 'dave'));
    await api.post('/api/v1/demand-events', { ...event, event_id: 'q-4', user_id: 'dave' }, service);
    const riders = (await entries('demand')).filter(({ eventId }) => eventId === 'q-3' || eventId === 'q-4');
    expect(new Set(riders.map(({ rider }) => rider)).size).toBe(1);
  });
});

describe('while Redis is away', () => {
  it('no event is answered 202, and all are again once it is back', async () => {
    const path = `/api/v1/drivers/away-${api.market}/location`;
    const demand = { event_id: 'q-9', kind: 'search', ...inZone, user_id: 'erin' };
    const bulk = { events: [{ ...inZone, driver_id: `away-${api.market}` }] };
    const refused = { status: 503, body: { type: '/problems/ingest-unavailable' } };
    proxy.cut();
    const first = await api.post(path, inZone, service);
    expect(first).toMatchObject(refused);
    expect(Number(first.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await api.post('/api/v1/demand-events', demand, service)).toMatchObject(refused);
    expect(await api.post(batch, bulk, service)).toMatchObject(refused);
    for (let i = 0; i < 5; i += 1) expect(await api.post(path, outside, service)).toMatchObject(refused);
    proxy.mend();
    await eventually(async () => (await api.post(path, { ...inZone, event_id: 'back' }, service)).status === 202);
    expect((await entries('locations')).map(({ eventId }) => eventId)).toContain('back');
  });
});
