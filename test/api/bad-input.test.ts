import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisKeys } from '../../db/redis-keys.ts';
import { dropoff, inZone, outside, startApi, type TestApi } from './start-api.ts';

let api: TestApi;
let rider: string;
let driver: string;
let service: string;
beforeAll(async () => {
  api = await startApi();
  rider = await api.token('rider', 'ann');
  driver = await api.token('driver', 'd-1');
  service = await api.token('service', 'backend');
});
afterAll(() => api[Symbol.asyncDispose]());

const estimate = '/api/v1/pricing/estimate';
const location = '/api/v1/drivers/d-1/location';
const demand = '/api/v1/demand-events';
const good = { pickup_location: inZone, dropoff_location: dropoff, vehicle_type: 'standard' };
const event = { event_id: 'e-1', kind: 'search', ...inZone };
const minutesAway = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

function tokenFor(path: string): string {
  return path === location ? driver : rider;
}

describe('a wrong field is 422 and is named', () => {
  it.each<[string, string, unknown, string]>([
    ['latitude 91', estimate, { ...good, pickup_location: { latitude: 91, longitude: 0 } }, 'pickup_location.latitude'],
    [
      'longitude −181',
      estimate,
      { ...good, dropoff_location: { latitude: 0, longitude: -181 } },
      'dropoff_location.longitude',
    ],
    [
      'a number as text',
      estimate,
      { ...good, pickup_location: { latitude: '40.7', longitude: 0 } },
      'pickup_location.latitude',
    ],
    ['a missing place', estimate, { pickup_location: inZone, vehicle_type: 'standard' }, 'dropoff_location'],
    ['no vehicle type', estimate, { pickup_location: inZone, dropoff_location: dropoff }, 'vehicle_type'],
    ['both kinds of vehicle type', estimate, { ...good, vehicle_types: ['xl'] }, 'vehicle_type'],
    ['an unknown vehicle type', estimate, { ...good, vehicle_type: 'zeppelin' }, 'vehicle_type'],
    [
      'a vehicle type twice',
      estimate,
      { ...good, vehicle_type: undefined, vehicle_types: ['xl', 'xl'] },
      'vehicle_types',
    ],
    ['an unknown field', estimate, { ...good, surge: 1 }, ''],
    ['null for a place', estimate, { ...good, pickup_location: null }, 'pickup_location'],
    ['an array for an object', estimate, [], ''],
    ['a bare number', estimate, 5, ''],
    ['an array for a place', estimate, { ...good, pickup_location: [40.7, -73.9] }, 'pickup_location'],
    ['speed 121', location, { ...inZone, speed: 121 }, 'speed'],
    ['heading 360', location, { ...inZone, heading: 360 }, 'heading'],
    ['accuracy −1', location, { ...inZone, accuracy: -1 }, 'accuracy'],
    ['accuracy 100 km and a bit', location, { ...inZone, accuracy: 100_000.1 }, 'accuracy'],
    ['accuracy 1e300', location, { ...inZone, accuracy: 1e300 }, 'accuracy'],
    ['a fix 3 minutes from the future', location, { ...inZone, timestamp: minutesAway(3) }, 'timestamp'],
    ['a fix from last hour', location, { ...inZone, timestamp: minutesAway(-60) }, 'timestamp'],
    ['a timestamp that is none', location, { ...inZone, timestamp: 'yesterday' }, 'timestamp'],
    ['an availability in words', location, { ...inZone, is_available: 'yes' }, 'is_available'],
    ['an event id with a line break', location, { ...inZone, event_id: 'a\r\nb' }, 'event_id'],
    ['a demand event without id', demand, { ...event, event_id: undefined }, 'event_id'],
    ['an unknown kind of demand', demand, { ...event, kind: 'wish' }, 'kind'],
  ])('%s', async (_name, path, body, where) => {
    const answer = await api.post(path, body, tokenFor(path));
    expect(answer).toMatchObject({ status: 422, body: { type: '/problems/invalid-request', status: 422 } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body.errors.map(({ path: named }: { path: string }) => named)).toContain(where);
  });

  it('1e400, which JSON reads as infinity', async () => {
    const body = JSON.stringify(good).replace('40.75', '1e400');
    const answer = await api.post(estimate, body, rider);
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'pickup_location.latitude' }] } });
  });

  it('a key that would reach into the prototype', async () => {
    const body = `{"__proto__":{"admin":true},${JSON.stringify(good).slice(1)}`;
    expect(await api.post(estimate, body, rider)).toMatchObject({ status: 422 });
  });

  it('an empty body', async () => {
    const init = { method: 'POST', headers: headers() };
    expect(await api.send(estimate, init)).toMatchObject({ status: 422 });
  });
});

const headers = () => ({ 'content-type': 'application/json', authorization: `Bearer ${rider}` });

describe('a body that cannot be read', () => {
  it('is 400 when it is not JSON', async () => {
    const answer = await api.post(estimate, '{"pickup_location":', rider);
    expect(answer).toMatchObject({ status: 400, body: { type: '/problems/malformed-json' } });
  });

  it('is 400 when it is not UTF-8', async () => {
    const body = Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]);
    const answer = await api.send(estimate, { method: 'POST', headers: headers(), body });
    expect(answer).toMatchObject({ status: 400, body: { type: '/problems/malformed-json' } });
  });

  it('is 413 at 2 MiB, on every route that takes one', async () => {
    const body = JSON.stringify({ text: 'x'.repeat(2 * 1024 * 1024) });
    expect(await api.post(estimate, body, rider)).toMatchObject({
      status: 413,
      body: { type: '/problems/payload-too-large' },
    });
    expect(await api.post(location, body, driver)).toMatchObject({ status: 413 });
    expect(await api.post('/api/v1/locations:batch', body, service)).toMatchObject({ status: 413 });
  });

  it('is 413 just over 64 KiB, where a bulk of the same size is read', async () => {
    const body = JSON.stringify({ text: 'x'.repeat(70_000) });
    expect(await api.post(estimate, body, rider)).toMatchObject({ status: 413 });
    expect(await api.post('/api/v1/locations:batch', body, service)).toMatchObject({ status: 422 });
  });

  it.each(['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/jsonx'])(
    'is 415 as %s',
    async (type) => {
      const init = {
        method: 'POST',
        headers: { ...headers(), 'content-type': type },
        body: JSON.stringify(good),
      };
      expect(await api.send(estimate, init)).toMatchObject({
        status: 415,
        body: { type: '/problems/unsupported-media-type' },
      });
    },
  );

  it('is 415 in an encoding or charset we do not know', async () => {
    const body = JSON.stringify(good);
    const strange = { ...headers(), 'content-encoding': 'zstd' };
    expect(await api.send(estimate, { method: 'POST', headers: strange, body })).toMatchObject({ status: 415 });
    const latin = { ...headers(), 'content-type': 'application/json; charset=latin1' };
    expect(await api.send(estimate, { method: 'POST', headers: latin, body })).toMatchObject({ status: 415 });
  });

  it('is 422, not a crash, when it nests 20,000 deep', async () => {
    const body = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    expect(await api.post(estimate, body, rider)).toMatchObject({ status: 422 });
  });
});

describe('a request that leads nowhere', () => {
  it('is 404 for an unknown route', async () => {
    expect(await api.get('/api/v1/nothing', rider)).toMatchObject({
      status: 404,
      body: { type: '/problems/not-found' },
    });
  });

  it('is 405 with the methods that exist', async () => {
    const answer = await api.get(estimate, rider);
    expect(answer).toMatchObject({ status: 405, body: { type: '/problems/method-not-allowed' } });
    expect(answer.headers.get('allow')).toBe('POST');
    const removed = await api.send('/healthz', { method: 'DELETE' });
    expect([removed.status, removed.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('is 400 when the path is not decodable', async () => {
    expect(await api.get('/api/v1/pricing/quotes/%E0%A4%A', rider)).toMatchObject({ status: 400 });
  });

  it('is a problem even when it is not HTTP at all', async () => {
    const { port, hostname } = new URL(api.url);
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write('nonsense\r\n\r\n'));
      let seen = '';
      socket
        .on('data', (data) => (seen += String(data)))
        .on('close', () => resolve(seen))
        .on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1.1 400/);
    expect(text).toContain('/problems/malformed-request');
  });
});

describe('a place outside every market', () => {
  it('is refused wherever a place is asked', async () => {
    const code = { status: 422, body: { type: '/problems/outside-service-area' } };
    expect(await api.post(estimate, { ...good, pickup_location: outside }, rider)).toMatchObject(code);
    expect(await api.post(location, { ...outside }, driver)).toMatchObject(code);
    expect(await api.post(demand, { ...event, ...outside }, rider)).toMatchObject(code);
  });

  it.each(['pickup_location', 'dropoff_location'])('is named when it is the %s of a quote', async (path) => {
    const near = { latitude: 41.2, longitude: -73.9 };
    expect(await api.post(estimate, { ...good, [path]: near }, rider)).toMatchObject({
      status: 422,
      body: { type: '/problems/outside-service-area', errors: [{ path }] },
    });
  });
});

describe('every answer', () => {
  it('carries the trace id of the request, or a new one', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const followed = await api.send('/api/v1/nothing', { headers });
    expect([followed.headers.get('trace-id'), followed.body.trace_id]).toEqual([traceId, traceId]);
    const fresh = await api.send('/healthz', { headers: { traceparent: '00-zz-1-01' } });
    expect(fresh.headers.get('trace-id')).toMatch(/^[0-9a-f]{32}$/);
  });

  it('says nothing of the framework, and no more than needed to a browser', async () => {
    const { headers } = await api.get('/healthz');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('etag')).toBeNull();
  });
});

describe('repeats', () => {
  it('of an event are taken again: what reads the stream knows them by their id', async () => {
    const again = { ...inZone, event_id: 'twice' };
    const before = await api.redis.xlen(redisKeys(api.market).streams.locations);
    expect(await api.post(location, again, driver)).toMatchObject({ status: 202, body: { event_id: 'twice' } });
    expect(await api.post(location, again, driver)).toMatchObject({ status: 202, body: { event_id: 'twice' } });
    expect(await api.redis.xlen(redisKeys(api.market).streams.locations)).toBe(before + 2);
  });
});
