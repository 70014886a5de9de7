import { DatabaseError, type Pool, type PoolClient } from 'pg';

/** Days of each kind of row that are kept. */
export interface Retention {
  /** Where drivers and riders were: personal data. */
  readonly locationDays: number;
  /** Snapshots, the price log and quotes. */
  readonly priceDays: number;
}

export const defaultRetention: Retention = { locationDays: 90, priceDays: 400 };

const partitionedTables = {
  driver_location_events: { unit: 'day', kept: 'locationDays' },
  demand_events: { unit: 'day', kept: 'locationDays' },
  supply_demand_snapshots: { unit: 'month', kept: 'priceDays' },
} as const satisfies Record<string, { unit: 'day' | 'month'; kept: keyof Retention }>;

export type PartitionedTable = keyof typeof partitionedTables;

const dayMs = 86_400_000;
const daysAhead = 3;
const lockId = 7_301_001;
const rowsPerDelete = 10_000;

interface Partition {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The partition (UTC day or month) a time falls into. */
export function partitionOf(table: PartitionedTable, timeMs: number): Partition {
  const at = new Date(timeMs);
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  const digits = at.toISOString().slice(0, 10).replaceAll('-', '');
  if (partitionedTables[table].unit === 'month') {
    return {
      name: `${table}_${digits.slice(0, 6)}`,
      fromMs: Date.UTC(year, month),
      toMs: Date.UTC(year, month + 1),
    };
  }
  const fromMs = Math.floor(timeMs / dayMs) * dayMs;
  return { name: `${table}_${digits}`, fromMs, toMs: fromMs + dayMs };
}

/** Makes partitions before they are needed and remembers which there are. */
export class Partitions {
  readonly #pool: Pool;
  readonly #retention: Retention;
  readonly #known = new Set<string>();

  constructor(pool: Pool, retention: Retention = defaultRetention) {
    this.#pool = pool;
    this.#retention = retention;
  }

  /**
   * Makes the missing partitions for rows of these times. Times that retention would drop at once, or more than three days
   * ahead, get none: such a row is refused by the table (SQLSTATE 23514).
   */
  async ensure(table: PartitionedTable, timesMs: Iterable<number>, nowMs: number): Promise<void> {
    const oldestMs = nowMs - this.#retention[partitionedTables[table].kept] * dayMs;
    const missing = new Map<string, Partition>();
    for (const timeMs of timesMs) {
      if (timeMs < oldestMs || timeMs > nowMs + daysAhead * dayMs) continue;
      const partition = partitionOf(table, timeMs);
      if (!this.#known.has(partition.name)) missing.set(partition.name, partition);
    }
    if (missing.size === 0) return;
    await locked(this.#pool, async (client) => {
      for (const partition of missing.values()) await create(client, table, partition);
    });
    for (const name of missing.keys()) this.#known.add(name);
  }

  /**
   * Stores rows of these times, whose partitions are made first. One that is known and yet gone, as another process may drop
   * it or a backup be restored, is made again and the rows tried once more. What then still has no place is refused.
   */
  async storing<T>(table: PartitionedTable, timesMs: readonly number[], store: () => Promise<T>): Promise<T> {
    const nowMs = Date.now();
    await this.ensure(table, timesMs, nowMs);
    try {
      return await store();
    } catch (error) {
      if (!hasNoPartition(error)) throw error;
      this.#known.clear();
      await this.ensure(table, timesMs, nowMs);
      return store();
    }
  }

  /** Run at start and every hour: partitions from yesterday to three days ahead exist, those past retention go. */
  async upkeep(nowMs: number): Promise<void> {
    for (const table of Object.keys(partitionedTables) as PartitionedTable[]) {
      const days = Array.from({ length: daysAhead + 2 }, (_, i) => nowMs + (i - 1) * dayMs);
      await this.ensure(table, days, nowMs);
      await this.#dropOld(table, nowMs - this.#retention[partitionedTables[table].kept] * dayMs);
    }
    const before = new Date(nowMs - this.#retention.priceDays * dayMs);
    await this.#deleteOld('pricing_event_logs', '"timestamp"', before);
    await this.#deleteOld('quotes', 'issued_at', before);
  }

  /** In steps that each last: a run that is cut short leaves less to the next. */
  async #deleteOld(table: 'pricing_event_logs' | 'quotes', time: string, before: Date): Promise<void> {
    for (let deleted = rowsPerDelete; deleted === rowsPerDelete; ) {
      const { rowCount } = await this.#pool.query(
        `delete from ${table} where ctid = any(array(select ctid from ${table} where ${time} < $1 limit ${rowsPerDelete}))`,
        [before],
      );
      deleted = rowCount ?? 0;
    }
  }

  async #dropOld(table: PartitionedTable, beforeMs: number): Promise<void> {
    const { rows } = await this.#pool.query<{ name: string }>(
      `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass`,
      [table],
    );
    const old = rows.filter(({ name }) => endOf(table, name) <= beforeMs);
    if (old.length === 0) return;
    await locked(this.#pool, async (client) => {
      for (const { name } of old) await client.query(`drop table if exists ${client.escapeIdentifier(name)}`);
    });
    for (const { name } of old) this.#known.delete(name);
  }
}

/** A row without partition and one that breaks a check share a SQLSTATE; only the check has a name. */
function hasNoPartition(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '23514' && error.constraint === undefined;
}

/** When the rows of a partition end; never, for a table whose name is not one of ours. */
function endOf(table: PartitionedTable, name: string): number {
  const [, year, month, day] = /_(\d{4})(\d{2})(\d{2})?$/.exec(name) ?? [];
  if (year === undefined || month === undefined) return Number.POSITIVE_INFINITY;
  return partitionOf(table, Date.UTC(Number(year), Number(month) - 1, Number(day ?? 1))).toMs;
}

/** Looks first, so that a partition that is there costs no lock on its table. */
async function create(client: PoolClient, table: PartitionedTable, { name, fromMs, toMs }: Partition): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [name]);
  if (rows[0]?.there === true) return;
  const [from, to] = [fromMs, toMs].map((ms) => client.escapeLiteral(new Date(ms).toISOString()));
  await client.query(`create table ${name} partition of ${table} for values from (${from}) to (${to})`);
}

/** One process at a time changes partitions; the lock goes with the transaction. */
async function locked(pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [lockId]);
    await work(client);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}
