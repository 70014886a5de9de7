/** The smallest value that at least `part` (0–1) of the values do not exceed; NaN without values. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Three significant digits for small figures, whole numbers for large ones. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return Number(value.toPrecision(3)).toString();
}

/** `0.52 (aim 0.5: met)`. */
export function verdict(value: number, aim: number, better: 'higher' | 'lower', unit = ''): string {
  const met = better === 'higher' ? value >= aim : value < aim;
  const sign = better === 'higher' ? '≥' : '<';
  return `${shown(value)}${unit} (aim ${sign} ${aim}${unit}: ${met ? 'met' : 'missed'})`;
}
