import { type CryptoKey, generateKeyPair, importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRoutes } from '../../api/app.ts';
import { roles, type Role, tokenAudience, tokenIssuer } from '../../platform/tokens.ts';
import { inZone, startApi, type TestApi } from './start-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

/** The contract, written down a second time on purpose. */
const expected: Record<string, readonly Role[] | 'public'> = {
  'post /api/v1/pricing/estimate': ['rider', 'service'],
  'get /api/v1/pricing/quotes/:quote_id': ['rider', 'service', 'operator', 'admin'],
  'get /api/v1/pricing/zones/:zone_id': ['rider', 'driver', 'service', 'operator', 'admin'],
  'post /api/v1/drivers/:driver_id/location': ['driver', 'service'],
  'post /api/v1/locations\\:batch': ['service'],
  'post /api/v1/demand-events': ['rider', 'service'],
  'get /healthz': 'public',
  'get /health': 'public',
  'get /readyz': 'public',
};

const concrete = (path: string) =>
  path
    .replace('\\', '')
    .replace(':quote_id', crypto.randomUUID())
    .replace(':zone_id', api.zoneId)
    .replace(':driver_id', 'd-1');

function call(method: string, path: string, token: string | undefined) {
  return method === 'post' ? api.post(concrete(path), {}, token) : api.get(concrete(path), token);
}

describe('every route', () => {
  it('is in the table of the contract, and the other way round', () => {
    const routes = apiRoutes(api.service.deps).map(({ method, path }) => `${method} ${path}`);
    expect(routes.toSorted()).toEqual(Object.keys(expected).toSorted());
  });

  it.each(Object.entries(expected))('%s lets in exactly its roles', async (route, allowed) => {
    const [method = '', path = ''] = route.split(' ');
    const without = await call(method, path, undefined);
    expect(without.status).toBe(allowed === 'public' ? 200 : 401);
    for (const role of roles) {
      const { status } = await call(method, path, await api.token(role, 'd-1'));
      const permitted = allowed === 'public' || allowed.includes(role);
      expect([role, status === 403, status === 401]).toEqual([role, !permitted, false]);
    }
  });

  it('refuses a stranger before it reads the body', async () => {
    const answer = await api.post('/api/v1/pricing/estimate', 'x'.repeat(2_000_000));
    expect(answer).toMatchObject({ status: 401, body: { type: '/problems/unauthenticated' } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });
});

const nowSeconds = () => Math.floor(Date.now() / 1000);
const status = async (token: string) => (await api.get(`/api/v1/pricing/zones/${api.zoneId}`, token)).status;

describe('a token', () => {
  interface Claims {
    sub: string;
    iss: string;
    aud: string;
    exp: number;
    role: unknown;
    nbf?: number;
  }

  async function forged(change: Partial<Claims>, key?: CryptoKey): Promise<string> {
    const claims = { iss: tokenIssuer, aud: tokenAudience, exp: nowSeconds() + 600, role: 'rider', ...change };
    const signer = key ?? (await importJWK(api.keys.signing, 'ES256'));
    return new SignJWT({ sub: 'ann', ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: api.keys.signing.kid })
      .sign(signer);
  }

  it('of ours is taken, also the second time', async () => {
    const token = await forged({ sub: 'a'.repeat(64) });
    expect([await status(token), await status(token)]).toEqual([200, 200]);
  });

  it.each<[string, Partial<Claims>]>([
    ['for another audience', { aud: 'elsewhere' }],
    ['of another issuer', { iss: 'elsewhere' }],
    ['that has expired', { exp: 1_700_000_000 }],
    ['that is not valid yet', { nbf: 4_000_000_000 }],
    ['without a role', { role: undefined }],
    ['with a role we do not have', { role: 'root' }],
    ['for nobody', { sub: '' }],
    ['for a name with a zero byte', { sub: 'a\0b' }],
    ['for a name with a line break', { sub: 'a\nb' }],
    ['for a name of 65 characters', { sub: 'a'.repeat(65) }],
  ])('%s is refused', async (_name, change) => {
    expect(await status(await forged(change))).toBe(401);
  });

  it('signed by another key is refused, whatever key id it claims', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    expect(await status(await forged({}, privateKey))).toBe(401);
  });

  it('without a signature, or with a bent one, is refused', async () => {
    const good = await forged({});
    const [, payload = '', signature = ''] = good.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const admin = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), role: 'admin' }),
    );
    expect(await status(`${none}.${payload}.`)).toBe(401);
    expect(await status(good.replace(payload, admin.toString('base64url')))).toBe(401);
    expect(await status(good.replace(signature, `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`))).toBe(
      401,
    );
  });

  it('that expires while it is remembered is refused from then on', async () => {
    const token = await forged({ exp: nowSeconds() + 2 });
    expect(await status(token)).toBe(200);
    await expect.poll(() => status(token), { timeout: 5_000 }).toBe(401);
  });

  it.each(['', 'Bearer', 'Basic YTpi', 'Bearer a b', `Bearer ${'x'.repeat(5_000)}`])(
    'is not “%.20s”',
    async (header) => {
      const answer = await api.send(`/api/v1/pricing/zones/${api.zoneId}`, { headers: { authorization: header } });
      expect(answer.status).toBe(401);
    },
  );
});

describe('acting for somebody', () => {
  const demand = { event_id: 'e-7', kind: 'app_open', ...inZone };

  it('is for services alone', async () => {
    const rider = await api.token('rider', 'ann');
    const asked = { pickup_location: inZone, dropoff_location: inZone, vehicle_type: 'xl', user_id: 'bob' };
    const refused = { status: 403, body: { type: '/problems/forbidden' } };
    expect(await api.post('/api/v1/pricing/estimate', asked, rider)).toMatchObject(refused);
    expect(await api.post('/api/v1/demand-events', { ...demand, user_id: 'ann' }, rider)).toMatchObject(refused);
    expect(await api.post('/api/v1/pricing/estimate', asked, await api.token('service'))).toMatchObject({
      status: 200,
    });
  });

  it('needs a name for a quote, which no rider of the name of the service gets to see', async () => {
    const service = await api.token('service', 'backend');
    const namesake = await api.token('rider', 'backend');
    const asked = { pickup_location: inZone, dropoff_location: inZone, vehicle_type: 'xl' };
    const unnamed = await api.post('/api/v1/pricing/estimate', asked, service);
    expect(unnamed).toMatchObject({ status: 422, body: { errors: [{ path: 'user_id' }] } });
    const { body } = await api.post('/api/v1/pricing/estimate', { ...asked, user_id: 'bob' }, service);
    const path = `/api/v1/pricing/quotes/${body.quote_id}`;
    expect(await api.get(path, namesake)).toMatchObject({ status: 404 });
    expect(await api.get(path, service)).toMatchObject({ status: 200 });
  });

  it('needs a name where demand is counted by rider', async () => {
    const answer = await api.post('/api/v1/demand-events', demand, await api.token('service'));
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'user_id' }] } });
  });

  it('does not let a driver report for another, nor a rider request without a quote', async () => {
    const driver = await api.token('driver', 'd-1');
    expect(await api.post('/api/v1/drivers/d-2/location', inZone, driver)).toMatchObject({ status: 403 });
    expect(await api.post('/api/v1/drivers/d-1/location', inZone, driver)).toMatchObject({ status: 202 });
    expect(await api.post('/api/v1/drivers/d-2/location', inZone, await api.token('service'))).toMatchObject({
      status: 202,
    });
    const request = { ...demand, kind: 'ride_request' };
    expect(await api.post('/api/v1/demand-events', request, await api.token('rider'))).toMatchObject({ status: 403 });
  });
});
