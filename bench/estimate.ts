// (b) Durable, authenticated estimates of one API process, against a bare Express 5 JSON POST.
import { type BenchOptions, type Report, runBench } from './lib/bench.ts';
import { countQuotes, estimateRequests } from './lib/estimates.ts';
import { sendLoad } from './lib/load.ts';
import { priceCity } from './lib/priced-city.ts';
import { CpuMeter, memoryMb } from './lib/process-figures.ts';
import type { Rig } from './lib/rig.ts';
import { median, quantile, verdict } from './lib/statistics.ts';
import { pickups } from './lib/traffic.ts';

const connections = 64;
const servers = ['bare', 'ours'] as const;
type Server = (typeof servers)[number];

async function run(rig: Rig, { seconds, rounds }: BenchOptions): Promise<Report> {
  const city = await priceCity(rig.redis, rig.pool);
  const urls: Record<Server, string> = {
    bare: await rig.serve('bare', 'bench/load/bare-express.js', '/readyz'),
    ours: await rig.serve('api', 'api/main.js', '/readyz'),
  };
  const requests = await estimateRequests(rig, (await pickups(rig.pool)).slice(0, 1_000));
  const cpu = new CpuMeter(rig.pids('api', 'postgres', 'redis'));
  let [answered, failed, shares] = [0, 0, ''];
  const load = async (server: Server, how: { amount: number } | { rate: number; seconds: number }) => {
    const result = await sendLoad({ url: urls[server], connections, requests, ...how });
    if (server === 'ours') answered += result.succeeded;
    failed += result.failed;
    return result;
  };

  // Compiles the code, and says how many requests last as long as wanted.
  const expected = { bare: 0, ours: 0 };
  for (const server of servers) {
    await load(server, { amount: 3_000 });
    expected[server] = (await load(server, { amount: 5_000 })).perSecond;
  }
  const rates = { bare: [] as number[], ours: [] as number[] };
  const full = { bare: [] as number[], ours: [] as number[] };
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      cpu.reset();
      const result = await load(server, { amount: Math.ceil(expected[server] * seconds) });
      if (server === 'ours') shares = cpu.shares();
      rates[server].push(result.perSecond);
      full[server].push(...result.latencies);
    }
    ratios.push((rates.ours.at(-1) ?? 0) / (rates.bare.at(-1) ?? 0));
  }
  const half = Math.round(median(rates.ours) / 2);
  const calm = { bare: await load('bare', { rate: half, seconds }), ours: await load('ours', { rate: half, seconds }) };
  city.stop();
  const stored = await countQuotes(rig);
  const memory = `${Math.round(memoryMb(rig.pid('bare')))} MB bare; ${rig.memory()}`;
  const line = (name: string, values: readonly number[]) => [
    name,
    ...[0.5, 0.99, 1].map((part) => quantile(values, part)),
  ];
  return {
    tables: [
      {
        title: `Requests per second, ${connections} connections, alternating rounds`,
        columns: ['what', 'median', 'lowest', 'highest'],
        rows: [
          ['bare Express 5 JSON POST', median(rates.bare), Math.min(...rates.bare), Math.max(...rates.bare)],
          [
            'estimate: token, price, committed quote, signed',
            median(rates.ours),
            Math.min(...rates.ours),
            Math.max(...rates.ours),
          ],
        ],
      },
      {
        title: 'Latency (ms)',
        columns: ['what', 'p50', 'p99', 'highest'],
        rows: [
          line(`bare, ${half} a second`, calm.bare.latencies),
          line(`estimate, ${half} a second (half load)`, calm.ours.latencies),
          line('bare, full load', full.bare),
          line('estimate, full load', full.ours),
        ],
      },
    ],
    notes: [
      `estimate / bare Express, median of the rounds: ${verdict(median(ratios), 0.5, 'higher')}; rounds: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}`,
      `estimate p99 at half load: ${verdict(quantile(calm.ours.latencies, 0.99), 150, 'lower', ' ms')}`,
      `answers 2xx: ${answered}; quotes in Postgres: ${stored} (${answered === stored ? 'equal' : 'NOT EQUAL'}); failed: ${failed}`,
      `CPU of one core in the last full round: ${shares}`,
      `memory: ${memory}`,
    ],
  };
}

await runBench({
  name: 'estimate',
  temporal: false,
  markets: 'nyc',
  defaults: { seconds: 8, rounds: 5, zones: [] },
  run,
});
