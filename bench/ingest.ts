// (a) Fixes and demand through stream, live state, acknowledgement and history, against the bare Lua call and the bare insert.
import { bareInsert, bareLua } from './lib/bare-ingest.ts';
import { type BenchOptions, type Report, runBench } from './lib/bench.ts';
import { countIngested, drain, type Drained, Ingest, postFixes, stream } from './lib/ingest-rounds.ts';
import type { Rig } from './lib/rig.ts';
import { median, quantile, shown, verdict } from './lib/statistics.ts';

const names = ['redis', 'postgres', 'ingestion', 'recorder'];

async function run(rig: Rig, { seconds, rounds }: BenchOptions): Promise<Report> {
  const ingest = await Ingest.start(rig);
  await drain(ingest, 20_000); // compiled code, warm caches
  const rates = { lua: [] as number[], insert: [] as number[], live: [] as number[], whole: [] as number[] };
  const ratios: number[] = [];
  const drains: Drained[] = [];
  for (let round = 0; round < rounds; round += 1) {
    rates.lua.push(await bareLua(rig, ingest.places, seconds * 500));
    rates.insert.push(await bareInsert(rig, ingest.places, seconds * 500));
    const drained = await drain(ingest, Math.round(seconds * 12_000));
    drains.push(drained);
    rates.live.push(drained.livePerSecond);
    rates.whole.push(drained.perSecond);
    ratios.push(drained.perSecond / Math.min(rates.lua.at(-1) ?? 0, rates.insert.at(-1) ?? 0));
  }
  const memory = rig.memory();

  const pace = Math.round(median(rates.whole) / 2 / 100) * 100;
  const half = await stream(ingest, pace, seconds);
  const posted = await postFixes(ingest, 2_000, seconds);
  const counts = await countIngested(ingest);
  return {
    tables: [
      {
        title: 'Fixes per second, alternating rounds',
        columns: ['what', 'median', 'lowest', 'highest'],
        rows: [
          row('bare Lua call, 500 fixes each', rates.lua),
          row('bare unnest insert, 1,000 rows each', rates.insert),
          row('live state applied and acknowledged', rates.live),
          row('live state and history acknowledged', rates.whole),
        ],
      },
      {
        title: 'Latency at an even pace (ms)',
        columns: ['what', 'per second', 'p50', 'p99', 'highest'],
        rows: [
          ['XADD → live state (queue age)', half.perSecond, ...latencies(half.ages)],
          ['POST location, 10,000 drivers', posted.perSecond, ...latencies(posted.answers)],
          ['POST location → live state', posted.perSecond, ...latencies(posted.ages)],
        ],
      },
      { title: 'Nothing lost', columns: ['what', 'sent', 'live state', 'history'], rows: counts.rows },
    ],
    notes: [
      `whole path / slower bare, median of the rounds: ${verdict(median(ratios), 0.5, 'higher')}; rounds: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}`,
      `live state alone / bare Lua call: ${(median(rates.live) / median(rates.lua)).toFixed(2)}`,
      `queue age p99 at half of the highest rate: ${verdict(quantile(half.ages, 0.99), 100, 'lower', ' ms')}`,
      `queue age p99 at 2,000 posts/s: ${verdict(quantile(posted.ages, 0.99), 100, 'lower', ' ms')}`,
      `POST location p99 at 2,000/s: ${verdict(quantile(posted.answers, 0.99), 10, 'lower', ' ms')}`,
      `lost: ${counts.lost} events; dead letters: ${counts.deadLetters}; failed posts: ${posted.failed}`,
      'each drain carries one ride request per ten fixes besides, which are not counted in its rate',
      `CPU of one core in the last drain: ${drains.at(-1)?.shares}`,
      `CPU per fix (µs), median of the rounds: ${names.map((name) => `${name} ${shown(median(drains.map(({ costs }) => costs[name] ?? 0)))}`).join(', ')}`,
      `memory after the drains: ${memory}`,
    ],
  };
}

function row(name: string, rates: readonly number[]): (string | number)[] {
  return [name, median(rates), Math.min(...rates), Math.max(...rates)];
}

function latencies(values: readonly number[]): number[] {
  return [quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)];
}

await runBench({
  name: 'ingest',
  temporal: false,
  markets: 'nyc',
  defaults: { seconds: 8, rounds: 5, zones: [] },
  run,
});
