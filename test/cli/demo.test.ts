import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retryAfterMs } from '../../cli/demo/client.ts';
import { planRequests } from '../../cli/demo/plan.ts';
import { PriceWatch } from '../../cli/demo/price-watch.ts';
import { breaches, type Report, renderReport } from '../../cli/demo/report.ts';
import { runDemo } from '../../cli/demo/run.ts';
import { StatusLine } from '../../cli/demo/status.ts';
import type { BoardEntry } from '../../domain/decision.ts';
import { redisKeys } from '../../db/redis-keys.ts';
import { createRedis } from '../../platform/connections.ts';
import { boardEntry, inZone, outside, startApi, type TestApi } from '../api/start-api.ts';
import { eventually, services } from '../harness.ts';
import { startHistory } from '../workers/loops.ts';

let api: TestApi;
const folder = mkdtempSync(join(tmpdir(), 'equilibrium-demo-'));

beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Pickups within the zone and a ride north of it, one outside of the market, a tenth of a second between two of them when played at speed 10. */
function pickups(count: number) {
  const begin = Date.UTC(2014, 3, 4, 17);
  return Array.from({ length: count }, (_, i) => {
    const north = i % 3 === 1 ? 0.0135 : 0; // 1.5 km: where rides of the others go to
    const place = { latitude: inZone.latitude + north + i * 1e-5, longitude: inZone.longitude };
    return { atMs: begin + 1 + i * 1_000, place: i === 2 ? outside : place };
  });
}

interface Front extends AsyncDisposable {
  readonly url: string;
  /** Bodies of the calls that were refused or cut, and of those that reached the API, by path. */
  readonly bodies: { readonly path: string; readonly body: string; readonly passed: boolean }[];
}

/** Stands before the API and, for the first calls to each path, is busy, unavailable or cuts the line. */
async function moodyFront(target: string): Promise<Front> {
  const moods = new Map<string, number>();
  const bodies: Front['bodies'] = [];
  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const path = req.url ?? '/';
    let body = '';
    for await (const chunk of req) body += String(chunk);
    const mood = path === '/healthz' ? 9 : (moods.get(path) ?? 0);
    moods.set(path, mood + 1);
    bodies.push({ path, body, passed: mood > 3 });
    if (mood === 0) res.writeHead(503, { 'retry-after': '0' }).end();
    else if (mood === 1) res.writeHead(429, { 'retry-after': '0' }).end();
    else if (mood === 2) req.socket.destroy();
    // Taken, and the answer is lost on the way: the event comes twice and must count once.
    else if (mood === 3) {
      await pass(target, path, req, body);
      req.socket.destroy();
    } else {
      const { status, text } = await pass(target, path, req, body);
      res.writeHead(status, { 'content-type': 'application/json' }).end(text);
    }
  };
  const server = createServer((req, res) => void answer(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function pass(target: string, path: string, req: IncomingMessage, body: string) {
  const { authorization = '' } = req.headers;
  const response = await fetch(target + path, {
    method: req.method ?? 'GET',
    headers: { authorization, 'content-type': 'application/json' },
    body: req.method === 'POST' ? body : null,
  });
  return { status: response.status, text: await response.text() };
}

/** The demo against the API, through the front, until `enough` of it; answers its report. */
async function runUntil(enough: (front: Front) => boolean, ledger: string): Promise<{ report: Report; front: Front }> {
  await using front = await moodyFront(api.url);
  const stop = new AbortController();
  const redis = createRedis(services().redisUrl, { failFast: true });
  const subscriber = createRedis(services().redisUrl);
  const reports: Report[] = [];
  const list = pickups(30);
  const running = runDemo({
    file: { pickups: list, brokenLines: 1, broken: [{ line: 4, reason: 'a quote is not closed' }] },
    plan: planRequests(list, { fromMinute: 17 * 60, toMinute: undefined, speed: 10, seed: 1 }),
    drivers: 5,
    seed: 1,
    loop: false,
    exitWhenDone: true,
    apiUrl: front.url,
    token: () => api.token('service', 'demo'),
    market: api.market,
    ledger,
    pool: api.pool,
    redis,
    subscriber,
    status: new StatusLine({ isTTY: false, write: () => true }),
    stop: stop.signal,
    onReport: (report) => void reports.push(report),
  });
  try {
    await eventually(() => redis.status === 'ready');
    await Promise.race([running, eventually(() => enough(front), { timeoutMs: 30_000 })]);
    stop.abort();
    await running;
  } finally {
    redis.disconnect();
    subscriber.disconnect();
  }
  const [report] = reports;
  if (report === undefined) throw new Error('there was no report');
  return { report, front };
}

function requestsPassed({ bodies }: Front): number {
  return bodies.filter(({ path, passed }) => passed && path.endsWith('/demand-events')).length;
}

describe('the demo against the API', () => {
  it('sends everything once, however often it has to try, and finds all of it again', async () => {
    const { redis, market, pool } = api;
    const keys = redisKeys(market);
    const closing: (() => Promise<void>)[] = [];
    startHistory({ redis, market, keys, closing, flush: async () => {}, [Symbol.asyncDispose]: async () => {} }, pool);
    const path = join(folder, 'ledger.ndjson');
    const { report, front } = await runUntil((seen) => requestsPassed(seen) >= 30, path);
    for (const close of closing) await close();

    const { fixes, ride_requests: requests } = report.events;
    expect(requests).toMatchObject({ sent: 30, answered_202: 29, refused: 1, looked_up: 29, in_history: 29 });
    expect(fixes.answered_202).toBeGreaterThanOrEqual(5);
    expect(fixes.in_history).toBe(fixes.answered_202);
    expect(report.refused).toEqual({ '422 outside-service-area': 1 });
    expect(report.quotes).toMatchObject({ answered: 10, looked_up: 10, unchanged: 10, changed: [] });
    expect(report.dead_letters).toEqual({ of_this_run: 0, all: 0 });
    expect(report.ended).toBe('signal');
    expect(report.retries).toBeGreaterThanOrEqual(12);
    expect(breaches(report)).toEqual([]);

    const tried = front.bodies.filter(({ path }) => path.endsWith('/demand-events'));
    const ids = tried.map(({ body }): unknown => JSON.parse(body).event_id);
    expect(new Set(ids).size).toBe(30);
    expect(ids.length).toBeGreaterThan(30);
    // What was tried again went with the very same body, so the time of the event stays what it was.
    expect(new Set(tried.map(({ body }) => body)).size).toBe(30);

    const lines = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const kinds = (kind: string) => lines.filter((line) => line.kind === kind);
    expect(kinds('ride_request')).toHaveLength(29);
    expect(kinds('fix')).toHaveLength(fixes.answered_202);
    expect(kinds('quote')).toHaveLength(10);
    expect(kinds('quote')[0]).toEqual({
      kind: 'quote',
      quote_id: expect.any(String),
      final_fare_minor: expect.any(Number),
      multiplier: 1,
      price_version: expect.any(Number),
    });
  }, 60_000);

  it('names what is missing when the history lacks an event that was answered', async () => {
    const path = join(folder, 'unrecorded.ndjson');
    const { report } = await runUntil((front) => requestsPassed(front) >= 1, path);
    const { answered_202: accepted, in_history: found, not_found: missing } = report.events.ride_requests;
    expect(accepted).toBeGreaterThan(0);
    expect(found).toBe(0);
    expect(missing).toHaveLength(accepted);
    expect(breaches(report).join()).toContain('are not in the history');
    expect(renderReport(report)).toContain('BROKEN');
    expect(report.quiet).toBe(false);
    expect(report.left_to_do.join()).toContain('history has not read everything');
  }, 60_000);
});

describe('the wait that the API asks for', () => {
  it.each([
    ['seconds', '7', 7_000],
    ['a date', 'Sat, 21 Nov 2026 10:00:05 GMT', 5_000],
    ['a date that is over', 'Sat, 21 Nov 2026 09:00:00 GMT', 0],
    ['more than a minute', '3600', 60_000],
    ['nonsense', 'soon', 0],
    ['nothing', null, 0],
  ])('is read from %s', (_what, header, expected) => {
    expect(retryAfterMs(header, Date.UTC(2026, 10, 21, 10))).toBe(expected);
  });
});

function heard(observedAtMs: number): BoardEntry {
  return { ...boardEntry(api.zoneId, { asOfMs: observedAtMs }), decision: null };
}

describe('the time from send to price', () => {
  it('ends with the first message whose observation was read since it was sent', () => {
    const one = new PriceWatch();
    one.requested(`${api.zoneId}:car`, 1_020);
    one.heard(heard(1_010), 1_100);
    expect(one.waiting).toBe(1);
    one.heard(heard(1_030), 1_300);
    expect(one.figures()).toMatchObject({ measured: 1, unpriced: 0, p50: 280, p99: 280, longest: 280 });
    one.heard(heard(2_000), 2_000);
    expect(one.figures().longest).toBe(280);
  });

  it('is the longest over all requests, and counts those without a price', () => {
    const one = new PriceWatch();
    for (const sentAtMs of [1_000, 1_500, 1_900]) one.requested(`${api.zoneId}:car`, sentAtMs);
    one.heard(heard(1_600), 2_000);
    expect(one.figures()).toMatchObject({ measured: 2, unpriced: 1, p50: 1_000, p99: 1_000, longest: 1_000 });
    expect(one.prices.get(`${api.zoneId}:car`)).toBe(150);
  });
});
