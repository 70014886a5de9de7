/** Numbers from 0 (included) to 1 (excluded); the same seed gives the same row of them. */
export type Random = () => number;

/** Small and quick, 32 bits of state; good enough to choose places, not to keep secrets. */
export function randomFrom(seed: number): Random {
  let state = scrambled(seed);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    return scrambled(state) / 2 ** 32;
  };
}

/** A row of its own for each number, so that what one driver draws never shifts what another one draws. */
export function randomOf(seed: number, index: number): Random {
  return randomFrom(scrambled(seed) ^ scrambled(index + 0x51ed27));
}

export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('there is nothing to pick from');
  return item;
}

export function between(random: Random, least: number, most: number): number {
  return least + random() * (most - least);
}

/** Mixes all 32 bits; unsigned. */
function scrambled(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
