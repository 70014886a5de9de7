import { EventEmitter, once } from 'node:events';
import express from 'express';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { answerErrors } from '../../api/problem.ts';
import { listen } from '../../api/server.ts';
import { startApi } from './start-api.ts';

describe('stopping', () => {
  it('lets what is under way finish and takes nothing new', async () => {
    const signals = new EventEmitter();
    const app = express();
    app.get('/slow', async (_req, res) => {
      signals.emit('began');
      await once(signals, 'finish');
      res.json({ done: true });
    });
    const listening = await listen(app, '127.0.0.1', 0);
    const url = `http://127.0.0.1:${listening.port}/slow`;
    const begun = once(signals, 'began');
    const underWay = fetch(url).then((res) => res.json());
    await begun;
    const closed = listening.close();
    await expect(fetch(url)).rejects.toThrow();
    signals.emit('finish');
    expect(await underWay).toEqual({ done: true });
    await closed;
  });

  it('shows in readiness first', async () => {
    await using api = await startApi();
    expect(await api.get('/readyz')).toMatchObject({ status: 200 });
    api.service.lifecycle.draining = true;
    expect(await api.get('/readyz')).toMatchObject({ status: 503, body: { status: 'draining' } });
    expect(await api.get('/healthz')).toMatchObject({ status: 200 });
  });
});

describe('an error nobody foresaw', () => {
  it('is answered without a word about its cause, and logged whole', async () => {
    const lines: string[] = [];
    const app = express();
    app.get('/', () => {
      throw new Error('select secret from place');
    });
    app.use(answerErrors(pino({}, { write: (line) => lines.push(line) })));
    const listening = await listen(app, '127.0.0.1', 0);
    const response = await fetch(`http://127.0.0.1:${listening.port}/`);
    const text = await response.text();
    await listening.close();
    expect([response.status, JSON.parse(text).type]).toEqual([500, '/problems/internal']);
    expect(text).not.toMatch(/secret|stack|at /);
    expect(lines.join('')).toContain('select secret from place');
  });
});
