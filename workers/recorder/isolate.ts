import { isBadRow } from '../../db/rows.ts';

/**
 * Stores items together; when one of them breaks a constraint, halves the batch until it is found and refused alone, and
 * the rest is stored. Any other error is thrown: then the items are as good as before and come again.
 */
export async function storeIsolating<T>(
  items: readonly T[],
  store: (items: readonly T[]) => Promise<unknown>,
  refuse: (item: T, reason: string) => Promise<void>,
): Promise<void> {
  if (items.length === 0) return;
  try {
    await store(items);
  } catch (error) {
    if (!isBadRow(error)) throw error;
    const [first] = items;
    if (items.length === 1 && first !== undefined) return refuse(first, String(error));
    const middle = Math.ceil(items.length / 2);
    await storeIsolating(items.slice(0, middle), store, refuse);
    await storeIsolating(items.slice(middle), store, refuse);
  }
}
