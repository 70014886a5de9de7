/** One array per column, for `unnest`. */
export function columns<Row>(
  rows: readonly Row[],
  ...picks: readonly ((row: Row) => string | number | boolean | null | undefined)[]
): (string | number | boolean | null)[][] {
  return picks.map((pick) => rows.map((row) => pick(row) ?? null));
}

/** An array as one text, as `unnest` cannot hold arrays of arrays. For words without quotes and commas. */
export function textArray(words: readonly string[]): string {
  return `{${words.join(',')}}`;
}

/** True for an error that lies in a row and not in the service: SQLSTATE class 22 (data) or 23 (constraint). */
export function isBadRow(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^2[23]/.test(error.code);
}
