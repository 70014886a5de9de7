// (d) Memory of one zone worker by the number of zones it holds.
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchOptions, type Report, runBench } from './lib/bench.ts';
import { cellsMarket } from './lib/cells-market.ts';
import { LiveCity } from './lib/live-city.ts';
import { memoryMb } from './lib/process-figures.ts';
import type { Rig } from './lib/rig.ts';
import { median, quantile, shown } from './lib/statistics.ts';
import { paced } from './lib/wait.ts';

const burstsPerSecond = 40;

interface Sample {
  readonly zones: number;
  readonly quietMb: number;
  readonly decidedMb: number;
  readonly highestMb: number;
  readonly serverMb: number;
}

async function run(rig: Rig, { seconds, zones }: BenchOptions): Promise<Report> {
  const city = await LiveCity.open(rig, Math.max(...zones));
  const samples: Sample[] = [];
  for (const count of zones) {
    rig.progress.say(`${count} zones`);
    const before = city.zones.length;
    await city.grow(count);
    const quiet = await watchMemory(rig, seconds);
    const fresh = city.zones.slice(before);
    await paced((fresh.length * 1_000) / burstsPerSecond, 1_000 / burstsPerSecond, async (due) => {
      for (const { center } of fresh.splice(0, due)) await city.burst(center);
    });
    const decided = await watchMemory(rig, Math.max(30, seconds));
    const [quietMb, decidedMb, highestMb] = [median(quiet), median(decided), quantile(decided, 1)];
    samples.push({ zones: count, quietMb, decidedMb, highestMb, serverMb: memoryMb(rig.pid('temporal')) });
  }
  city.close();
  const perZone = slope(samples.map(({ zones: x, decidedMb: y }) => ({ x, y })));
  const first = samples[0];
  const base = first === undefined ? Number.NaN : first.decidedMb - perZone * first.zones;
  return {
    tables: [
      {
        title: 'Memory of the zone worker (RSS, MB)',
        columns: ['zones', 'quiet', 'after a decision of each', 'highest', 'Temporal server'],
        rows: samples.map((one) => [one.zones, one.quietMb, one.decidedMb, one.highestMb, one.serverMb]),
      },
    ],
    notes: [`${shown(perZone)} MB a zone above ${Math.round(base)} MB (least squares)`],
  };
}

/** One value a second; garbage comes and goes. */
async function watchMemory(rig: Rig, seconds: number): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < seconds; i += 1) {
    await sleep(1_000);
    values.push(memoryMb(rig.pid('zones')));
  }
  return values;
}

function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (pick: (point: { x: number; y: number }) => number) =>
    points.reduce((total, point) => total + pick(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  return mean((point) => (point.x - x) * (point.y - y)) / mean((point) => (point.x - x) ** 2);
}

await runBench({
  name: 'worker-memory',
  temporal: true,
  markets: cellsMarket,
  defaults: { seconds: 20, rounds: 1, zones: [200, 1_000, 2_000, 3_000] },
  run,
});
