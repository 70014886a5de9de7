import { type Command, InvalidArgumentError } from 'commander';
import type { Redis } from 'ioredis';
import { countDeadLetters, type DeadLetter, listDeadLetters, replayDeadLetters } from '../db/dead-letters.ts';
import { type MarketId, parseMarketId } from '../domain/ids.ts';
import { createRedis, redisReady } from '../platform/connections.ts';
import { type CliContext, describe, print, UsageError } from './context.ts';

interface ListOptions {
  readonly market: MarketId;
  readonly limit: number;
  readonly after?: string;
  readonly json?: boolean;
}

interface ReplayOptions {
  readonly market: MarketId;
  readonly all?: boolean;
  readonly json?: boolean;
}

const pageSize = 500;

/** `equilibrium dead-letters list|replay`. */
export function registerDeadLetters(program: Command, context: CliContext): void {
  const letters = program.command('dead-letters').description('events that no consumer could use, with the reason');
  const list = letters
    .command('list')
    .description('oldest first')
    .option('--market <id>', 'market they came to', market, market('nyc'))
    .option('--limit <n>', 'at most this many', whole, 20)
    .option('--after <letter>', 'only what follows this letter', letter)
    .action((options: ListOptions) => withRedis(context, (redis) => show(redis, options)));
  describe(list, 'dead-letters list --limit 5');
  const replay = letters
    .command('replay [letters...]')
    .description('put letters back into the streams they came from')
    .option('--market <id>', 'market they came to', market, market('nyc'))
    .option('--all', 'all letters there are now')
    .action((ids: string[], options: ReplayOptions) => withRedis(context, (redis) => putBack(redis, ids, options)));
  describe(replay, 'dead-letters replay 1767225600000-0');
}

async function show(redis: Redis, options: ListOptions): Promise<void> {
  const { after, limit } = options;
  const letters = await listDeadLetters(redis, options.market, after === undefined ? { limit } : { limit, after });
  const total = await countDeadLetters(redis, options.market);
  print(options, { total, letters }, () => [`${total} dead letters`, ...letters.map(line)].join('\n'));
}

function line({ letterId, stream, group, reason, event }: DeadLetter): string {
  return `${letterId}  ${stream} (${group})  ${reason}\n    ${event}`;
}

async function putBack(redis: Redis, ids: readonly string[], options: ReplayOptions): Promise<void> {
  if ((ids.length === 0) === (options.all !== true)) throw new UsageError('Name the letters to replay, or say --all.');
  const wanted = new Set(ids);
  const letters = (await everyLetter(redis, options.market)).filter(
    ({ letterId }) => options.all === true || wanted.has(letterId),
  );
  const replayed = await replayDeadLetters(redis, options.market, letters);
  const known = new Set(letters.map(({ letterId }) => letterId));
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) process.exitCode = 1;
  print(options, { replayed, unknown }, () => {
    const missing = unknown.map((id) => `\nno such letter: ${id}`).join('');
    return `${replayed} put back into their streams${missing}`;
  });
}

/** Read to the end first: a letter that fails again comes back as a new one, and would be replayed for ever. */
async function everyLetter(redis: Redis, marketId: MarketId): Promise<DeadLetter[]> {
  const all: DeadLetter[] = [];
  for (;;) {
    const last = all.at(-1);
    const page = await listDeadLetters(redis, marketId, {
      limit: pageSize,
      ...(last === undefined ? {} : { after: last.letterId }),
    });
    all.push(...page);
    if (page.length < pageSize) return all;
  }
}

async function withRedis(context: CliContext, work: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = createRedis(context.config().redisUrl, { failFast: true, name: 'cli' });
  try {
    await redisReady(redis);
    await work(redis);
  } finally {
    redis.disconnect();
  }
}

function market(text: string): MarketId {
  const id = parseMarketId(text);
  if (id === undefined) throw new InvalidArgumentError('a market id is a short slug such as nyc');
  return id;
}

const highestIdPart = 2n ** 64n - 1n;

/** The id of a letter as `list` shows it; the part after the dash may be left out. */
function letter(text: string): string {
  const [, ms, sequence = '0'] = /^(\d{1,20})(?:-(\d{1,20}))?$/.exec(text) ?? [];
  if (ms === undefined || BigInt(ms) > highestIdPart || BigInt(sequence) > highestIdPart)
    throw new InvalidArgumentError('a letter id is what `dead-letters list` shows, such as 1767225600000-0');
  return text;
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000)
    throw new InvalidArgumentError('a number from 1 to 10000');
  return value;
}
