import type { Client } from '@temporalio/client';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import type { MarketId } from '../../domain/ids.ts';

/** What a check of one market reads from. */
export interface CheckDeps {
  readonly pool: Pool;
  readonly redis: Redis;
  readonly client: Client;
  readonly market: MarketId;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
