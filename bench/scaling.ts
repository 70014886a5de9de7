// (e) CPU per tick, decision and quote, by the number of zones: flat, or not.
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchOptions, type Report, runBench } from './lib/bench.ts';
import { cellsMarket } from './lib/cells-market.ts';
import { estimateRequests } from './lib/estimates.ts';
import { LiveCity } from './lib/live-city.ts';
import { sendLoad } from './lib/load.ts';
import { CpuMeter } from './lib/process-figures.ts';
import type { Rig } from './lib/rig.ts';
import { paced } from './lib/wait.ts';

const quotes = 3_000;
const names = ['temporal', 'zones', 'ingestion', 'recorder', 'redis', 'postgres', 'api'];
const shown = ['temporal', 'zones', 'ingestion', 'redis', 'api'];

interface Costs {
  readonly zones: number;
  readonly tick: Readonly<Record<string, number>>;
  readonly ticksPerSecond: number;
  readonly decision: Readonly<Record<string, number>>;
  readonly decisions: number;
  readonly quote: Readonly<Record<string, number>>;
  /** Of one core, while zones only tick. */
  readonly shares: string;
}

async function run(rig: Rig, { seconds, zones }: BenchOptions): Promise<Report> {
  const city = await LiveCity.open(rig, Math.max(...zones));
  const api = await rig.serve('api', 'api/main.js', '/healthz');
  const all: Costs[] = [];
  const late: string[] = [];
  const base = await baseline(rig);
  for (const count of zones) {
    rig.progress.say(`${count} zones`);
    const priced = await city.grow(count);
    if (priced < count) late.push(`${count} zones: only ${priced} had ticked when the patience was over`);
    await sleep(settleMs);
    all.push(await costs(rig, city, api, { seconds, base }));
  }
  const memory = rig.memory();
  city.close();
  return {
    tables: [
      table('CPU per tick of a quiet zone, with its keep-alive (ms)', all, ({ tick }) => tick, shown),
      table('CPU per published decision, besides the ticks (ms)', all, ({ decision }) => decision, shown),
      table('CPU per quote (ms)', all, ({ quote }) => quote, ['api', 'postgres', 'redis']),
    ],
    notes: [
      ...all.map(
        (one) =>
          `${one.zones} zones: ${one.ticksPerSecond.toFixed(1)} ticks/s (${(one.zones / 30).toFixed(1)} expected), ${one.decisions} decisions; CPU of one core while ticking: ${one.shares}`,
      ),
      ...late,
      `memory at the end: ${memory}`,
    ],
  };
}

const settleMs = 15_000;

/** ms of CPU a second that every process takes without any zone. */
async function baseline(rig: Rig): Promise<Record<string, number>> {
  await sleep(settleMs);
  const cpu = new CpuMeter(rig.pids(...names));
  await sleep(settleMs);
  return each(cpu.used(), (ms) => (1_000 * ms) / settleMs);
}

interface Stretch {
  readonly seconds: number;
  readonly base: Readonly<Record<string, number>>;
}

async function costs(rig: Rig, city: LiveCity, api: string, { seconds, base }: Stretch): Promise<Costs> {
  const cpu = new CpuMeter(rig.pids(...names));
  city.prices.resetCounts();
  await sleep(seconds * 1_000);
  const idle = cpu.used();
  const [shares, ticks] = [cpu.shares(), city.prices.ticks];
  const tick = each(idle, (ms, name) => (ms - seconds * (base[name] ?? 0)) / ticks);

  // Zones that never moved, each once: no cooldown is in the way.
  const fresh = city.zones.filter(({ key }) => city.prices.version(key) === 0).toReversed();
  const perSecond = Math.min(8, fresh.length / seconds);
  cpu.reset();
  city.prices.resetCounts();
  await paced(seconds * 1_000, 1_000 / perSecond, async (due) => {
    for (const { center } of fresh.splice(0, due)) await city.burst(center);
  });
  await sleep(1_000);
  const busy = cpu.used();
  const { decisions, ticks: besides } = city.prices;
  const ticking = (name: string) => besides * (tick[name] ?? 0) + (seconds + 1) * (base[name] ?? 0);
  const decision = each(busy, (ms, name) => (ms - ticking(name)) / decisions);

  const requests = await estimateRequests(
    rig,
    city.zones.slice(0, 500).map(({ center }) => center),
  );
  await sendLoad({ url: api, connections: 8, requests, amount: 1_000 });
  cpu.reset();
  const { perSecond: rate } = await sendLoad({ url: api, connections: 8, requests, amount: quotes });
  const background = each(idle, (ms) => (ms / seconds) * (quotes / rate));
  const quote = each(cpu.used(), (ms, name) => (ms - (background[name] ?? 0)) / quotes);
  return { zones: city.zones.length, tick, ticksPerSecond: ticks / seconds, decision, decisions, quote, shares };
}

function each(
  values: Readonly<Record<string, number>>,
  change: (value: number, name: string) => number,
): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, name)]));
}

function table(
  title: string,
  all: readonly Costs[],
  pick: (one: Costs) => Readonly<Record<string, number>>,
  columns: readonly string[],
) {
  const rows = all.map((one) => [one.zones, ...columns.map((name) => pick(one)[name] ?? Number.NaN)]);
  return { title, columns: ['zones', ...columns], rows };
}

await runBench({
  name: 'scaling',
  temporal: true,
  markets: cellsMarket,
  defaults: { seconds: 30, rounds: 1, zones: [100, 1_000, 5_000] },
  run,
});
