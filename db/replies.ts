/** A flat reply of Redis (name, value, name, value …) as pairs of words; a missing word is ''. */
export function pairsOf(flat: unknown): [string, string][] {
  const words: (string | number | null)[] = Array.isArray(flat) ? flat : [];
  const word = (i: number) => String(words[i] ?? '');
  return Array.from({ length: Math.floor(words.length / 2) }, (_, i) => [word(2 * i), word(2 * i + 1)]);
}
