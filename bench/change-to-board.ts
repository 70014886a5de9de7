// (c) From the XADD of riders' requests in a quiet zone to the PUBLISH of its new price, while 1,000 zones are awake.
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchOptions, type Report, runBench } from './lib/bench.ts';
import { type BenchZone, cellsMarket } from './lib/cells-market.ts';
import { LiveCity } from './lib/live-city.ts';
import { CpuMeter } from './lib/process-figures.ts';
import type { Rig } from './lib/rig.ts';
import { quantile, verdict } from './lib/statistics.ts';
import { paced } from './lib/wait.ts';

/** Changes per second in quiet zones, and in the zones that are busy all the time. */
const measuredPerSecond = 8;
const busyPerSecond = 4;
const busyPart = 0.1;

async function run(rig: Rig, { seconds, zones: [count = 1_000] }: BenchOptions): Promise<Report> {
  const city = await LiveCity.open(rig, count);
  await city.grow(count);
  await sleep(15_000); // the backlog of the start
  const cpu = new CpuMeter(rig.pids('temporal', 'zones', 'ingestion', 'recorder', 'redis', 'postgres'));
  city.prices.resetCounts();
  const began = performance.now();
  const found = await measure(city, seconds);
  const shares = cpu.shares();
  const lasted = (performance.now() - began) / 1_000;
  const { ticks, decisions } = city.prices;
  const active = await rig.redis.zcard(`{${cellsMarket}}:active`);
  city.close();
  const missing = found.sent - found.latencies.length;
  const parts = [0.5, 0.9, 0.99, 1];
  return {
    tables: [
      {
        title: `Change at a quiet zone → price on the board, ${active} active zones (ms)`,
        columns: ['changes', 'p50', 'p90', 'p99', 'highest', 'over 1 s'],
        rows: [
          [
            found.latencies.length,
            ...parts.map((part) => quantile(found.latencies, part)),
            found.latencies.filter((ms) => ms >= 1_000).length,
          ],
        ],
      },
    ],
    notes: [
      `p99: ${verdict(quantile(found.latencies, 0.99), 1_000, 'lower', ' ms')}; never priced: ${missing}`,
      `of these, priced by an observation: ${found.byObservation}, by a tick that came first: ${found.byTick}`,
      `meanwhile per second: ${(ticks / lasted).toFixed(1)} ticks without change, ${(decisions / lasted).toFixed(1)} published decisions`,
      `CPU of one core: ${shares}`,
      `memory: ${rig.memory()}`,
    ],
  };
}

/** Each zone is measured once, as afterwards it is neither quiet nor past its cooldown. */
async function measure(city: LiveCity, seconds: number) {
  const [quiet, busy] = split(city.zones);
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  let [byObservation, byTick, sent] = [0, 0, 0];
  city.prices.listen(({ key, entry, changed, atMs }) => {
    const began = sentAt.get(key);
    if (began === undefined || !changed) return;
    sentAt.delete(key);
    latencies.push(atMs - began);
    if (entry.decision?.trigger === 'observation') byObservation += 1;
    else byTick += 1;
  });
  await paced(seconds * 1_000, 1_000 / measuredPerSecond, async (due) => {
    for (let i = 0; i < due; i += 1) {
      // A zone that moved before, by a tick after its neighbour's burst for instance, is not quiet.
      const next = quiet.findIndex(({ key }) => (city.prices.version(key) ?? 0) === 0);
      const [zone] = quiet.splice(0, next + 1).slice(-1);
      if (next < 0 || zone === undefined) break;
      sent += 1;
      sentAt.set(zone.key, performance.now());
      sentAt.set(zone.key, await city.burst(zone.center));
    }
    if (Math.random() < (due * busyPerSecond) / measuredPerSecond) {
      const zone = busy[Math.floor(Math.random() * busy.length)];
      if (zone !== undefined) await city.burst(zone.center);
    }
  });
  await sleep(10_000);
  return { latencies, byObservation, byTick, sent };
}

/** In random order, a few of them busy. */
function split(zones: readonly BenchZone[]): [quiet: BenchZone[], busy: BenchZone[]] {
  const shuffled = zones
    .map((zone) => ({ zone, order: Math.random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ zone }) => zone);
  const cut = Math.ceil(zones.length * busyPart);
  return [shuffled.slice(cut), shuffled.slice(0, cut)];
}

await runBench({
  name: 'change-to-board',
  temporal: true,
  markets: cellsMarket,
  defaults: { seconds: 60, rounds: 1, zones: [1_000] },
  run,
});
