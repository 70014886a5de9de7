import type { Redis } from 'ioredis';

export interface GroupFigures {
  readonly name: string;
  readonly pending: number;
  readonly lastDelivered: string;
}

export async function groupFigures(redis: Redis, stream: string): Promise<GroupFigures[]> {
  const answer: unknown = await redis.xinfo('GROUPS', stream).catch(() => []);
  if (!Array.isArray(answer)) return [];
  return answer.map((flat: (string | number)[]) => {
    const of = new Map(flat.map((word, i) => [word, flat[i + 1]]));
    const [name, pending, last] = [of.get('name'), of.get('pending'), of.get('last-delivered-id')];
    return { name: String(name), pending: Number(pending), lastDelivered: String(last) };
  });
}

/** Groups that have read and acknowledged everything up to `lastId`. */
export async function groupsDone(redis: Redis, stream: string, lastId: string): Promise<Set<string>> {
  const groups = await groupFigures(redis, stream);
  const done = groups.filter(({ pending, lastDelivered }) => pending === 0 && !isBefore(lastDelivered, lastId));
  return new Set(done.map(({ name }) => name));
}

function isBefore(a: string, b: string): boolean {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number);
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number);
  return aMs === bMs ? aSeq < bSeq : aMs < bMs;
}

/** Sum of the samples of a counter in the Prometheus text form, those whose labels hold all of `labels`. */
export async function counter(url: string, name: string, labels: readonly string[] = []): Promise<number> {
  const text = await fetch(url).then((answer) => answer.text());
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
