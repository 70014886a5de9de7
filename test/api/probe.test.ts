import { describe, expect, it } from 'vitest';
import { Probe } from '../../api/probe.ts';
import { eventually } from '../harness.ts';
import { startApi } from './start-api.ts';

const forever = () => new Promise<never>(() => {});

describe('readiness', () => {
  it('does not wait for a Temporal that hangs', async () => {
    await using api = await startApi({ pingTemporal: forever });
    expect(await api.get('/readyz')).toMatchObject({
      status: 200,
      body: { status: 'degraded', checks: { temporal: 'loading', redis: 'ok', postgres: 'ok' } },
    });
  });
});

describe('a probe', () => {
  it('follows what it asks: there, gone, hanging, there again', async () => {
    let ping: () => Promise<unknown> = () => Promise.resolve();
    const probe = new Probe(() => ping(), { everyMs: 5, timeoutMs: 50 });
    expect(probe.state).toBe('loading');
    probe.start();
    await eventually(() => probe.state === 'ok');
    ping = () => Promise.reject(new Error('gone'));
    await eventually(() => probe.state === 'away');
    ping = () => Promise.resolve();
    await eventually(() => probe.state === 'ok');
    ping = forever;
    await eventually(() => probe.state === 'away');
    ping = () => Promise.resolve();
    await eventually(() => probe.state === 'ok');
    probe.stop();
  });

  it('of nothing finds nothing', () => {
    expect(new Probe(undefined).state).toBe('away');
  });
});
