// A process of its own that sends HTTP requests: as fast as the connections allow (autocannon), or at an even pace.
import { Agent, request } from 'node:http';
import autocannon from 'autocannon';
import { z } from 'zod';
import { paced } from '../lib/wait.ts';

const Order = z.object({
  url: z.string(),
  connections: z.number(),
  requests: z.array(z.object({ path: z.string(), headers: z.record(z.string(), z.string()), body: z.string() })).min(1),
  /** Requests as fast as they go. */
  amount: z.number().optional(),
  /** Or requests per second, for so many seconds. */
  rate: z.number().optional(),
  seconds: z.number().optional(),
});

export type LoadOrder = z.infer<typeof Order>;

export interface LoadResult {
  readonly succeeded: number;
  readonly failed: number;
  readonly perSecond: number;
  /** ms each. */
  readonly latencies: readonly number[];
}

async function flatOut(order: LoadOrder, amount: number): Promise<LoadResult> {
  const latencies: number[] = [];
  let [succeeded, failed, lastAt] = [0, 0, 0];
  const began = performance.now();
  const { url, connections } = order;
  const requests = order.requests.map((one) => ({ ...one, method: 'POST' as const }));
  await new Promise<void>((resolve, reject) => {
    const run = autocannon({ url, connections, amount, requests }, (error) => (error ? reject(error) : resolve()));
    run.on('reqError', () => (failed += 1));
    run.on('response', (_client, statusCode, _bytes, ms) => {
      if (statusCode >= 200 && statusCode < 300) succeeded += 1;
      else failed += 1;
      latencies.push(ms);
      lastAt = performance.now();
    });
  });
  return { succeeded, failed, perSecond: (1000 * succeeded) / (lastAt - began), latencies };
}

async function evenly(order: LoadOrder, rate: number, seconds: number): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: order.connections });
  const latencies: number[] = [];
  let [succeeded, failed, sent] = [0, 0, 0];
  const began = performance.now();
  const send = () => {
    const one = order.requests[sent % order.requests.length];
    sent += 1;
    if (one === undefined) return;
    const at = performance.now();
    const headers = { ...one.headers, 'content-length': Buffer.byteLength(one.body) };
    const call = request(new URL(one.path, order.url), { method: 'POST', agent, headers }, (answer) => {
      answer.resume().on('end', () => {
        latencies.push(performance.now() - at);
        if (answer.statusCode !== undefined && answer.statusCode < 300) succeeded += 1;
        else failed += 1;
      });
    });
    call.on('error', () => (failed += 1)).end(one.body);
  };
  await paced(seconds * 1000, 1000 / rate, (due) => {
    for (let i = 0; i < due; i += 1) send();
  });
  const giveUpAt = performance.now() + 10_000;
  while (succeeded + failed < sent && performance.now() < giveUpAt)
    await new Promise((resolve) => setTimeout(resolve, 20));
  agent.destroy();
  return {
    succeeded,
    failed: sent - succeeded,
    perSecond: (1000 * succeeded) / (performance.now() - began),
    latencies,
  };
}

async function carryOut(message: unknown): Promise<void> {
  const order = Order.parse(message);
  const { amount, rate = 1, seconds = 1 } = order;
  const result = amount === undefined ? await evenly(order, rate, seconds) : await flatOut(order, amount);
  process.send?.(result, () => process.exit());
}

process.once('message', (message) => void carryOut(message));
process.once('disconnect', () => process.exit());
