import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const bytesPerId = 16;
/** Asking the system for randomness is dear; asking rarely for much is not. */
const pool = Buffer.alloc(512 * bytesPerId);
let used = pool.length;

function takeBytes(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const from = used;
  used += bytesPerId;
  return from;
}

/** A UUID v7: ids sort by the time they were made. */
export function newId(): string {
  const from = takeBytes();
  return v7({ random: pool.subarray(from, from + bytesPerId) });
}

/** 32 random hex digits. */
export function newTraceId(): string {
  const from = takeBytes();
  return pool.toString('hex', from, from + bytesPerId);
}
