import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { registerPrice, renderPrice, renderVectors } from '../../cli/price.ts';
import type { PriceAnswer } from '../../cli/price-once.ts';
import { runVectors } from '../../cli/vectors.ts';

const vectors = new URL('../vectors/pricing.json', import.meta.url);

/** Runs the command as it is typed; answers what it prints. */
async function run(line: string): Promise<string> {
  const printed: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  try {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
    registerPrice(program);
    await program.parseAsync(line.split(' '), { from: 'user' });
  } finally {
    write.mockRestore();
  }
  return printed.join('');
}

async function price(line: string): Promise<PriceAnswer> {
  const answer: PriceAnswer = JSON.parse(await run(`price ${line} --json`));
  return answer;
}

afterEach(() => {
  process.exitCode = undefined;
});

describe('price', () => {
  it.each([
    ['the curve', '--supply 4 --demand 8 --algorithm piecewise --last 1.9', { multiplier: 2, held_by: null }],
    ['the gradual limit', '--supply 3 --demand 9 --algorithm piecewise --last 1.2 --max 3', { multiplier: 1.8 }],
    ['the cooldown', '--supply 4 --demand 8 --since-change 30', { multiplier: 1, held_by: 'cooldown' }],
    ['a shorter cooldown', '--supply 4 --demand 8 --since-change 30 --cooldown 20', { multiplier: 1.5 }],
    [
      'caps',
      '--supply 1 --demand 9 --last 4 --regulatory-cap 2 --regulatory-cap 1.5',
      { multiplier: 1.5, exempt: ['cap'] },
    ],
    ['an override', '--override 2.5', { multiplier: 2.5, recommended: 1, exempt: ['override'] }],
    ['the emergency', '--emergency --last 3', { multiplier: 1, exempt: ['emergency'] }],
    ['an unknown feed', '--demand 9 --feed unknown --last 1.3', { multiplier: 1.3, guard: 'feed-stale' }],
    ['neighbours', '--demand 2 --neighbour 1,9,0 --neighbour 3,9,0', { neighboring_zones_count: 1, guard: null }],
    ['the hour', '--supply 4 --demand 8 --rush-hour --last 1.5', { multiplier: 1.65 }],
    ['a factor', '--supply 4 --demand 8 --linear-factor 0.2', { multiplier: 1.2, surging: true }],
  ])('knows %s', async (_name, line, expected) => {
    const answer = await price(line);
    expect(answer).toMatchObject(expected);
    expect(answer.factors.at(-1)?.after).toBe(answer.multiplier);
  });

  it('shows every factor as a row', async () => {
    const line = '--supply 3 --demand 9 --last 1.2 --rush-hour';
    const answer = await price(line);
    const text = await run(`price ${line}`);
    expect(text.trimEnd()).toBe(renderPrice(answer));
    for (const { rule } of answer.factors) expect(text).toMatch(new RegExp(`^${rule} `, 'm'));
  });

  it.each([
    '--supply x',
    '--supply -1',
    '--algorithm magic',
    '--max-change 1',
    '--neighbour 1,2',
    '--last 0',
    '--supply 1e400',
    '--sypply 3',
  ])('refuses %s', async (line) => {
    await expect(run(`price ${line}`)).rejects.toMatchObject({ exitCode: 1 });
  });
});

describe('price --vectors', () => {
  it('names each section and succeeds on the published file', async () => {
    const text = await run(`price --vectors ${vectors.pathname}`);
    expect(text).toMatch(/^rate_and_settle +120 of 120 agree$/m);
    expect(process.exitCode).toBeUndefined();
  });

  it('shows every case that disagrees', () => {
    const document: Record<string, object[]> = JSON.parse(readFileSync(vectors, 'utf8'));
    const drift = [{ multiplier: 2.15, stale_periods: 1, after: 9 }, ...(document['drift'] ?? [])];
    const text = renderVectors(runVectors({ drift }));
    expect(text).toMatch(/^drift +8 of 9 agree$/m);
    expect(text).toContain('drift[0] {"multiplier":2.15,"stale_periods":1,"after":9}\n  after: expected 9, got 1.075');
  });

  it('fails on a file where anything disagrees', async () => {
    const wrong = new URL('./wrong-drift.json', import.meta.url);
    await run(`price --vectors ${wrong.pathname} --json`);
    expect(process.exitCode).toBe(1);
  });

  it.each(['/does/not/exist.json', new URL('../vectors/README.md', import.meta.url).pathname])(
    'says that %s cannot be run',
    async (file) => {
      await expect(run(`price --vectors ${file}`)).rejects.toThrow(/^cannot run /);
    },
  );
});
