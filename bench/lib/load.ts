import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadResult } from '../load/http-load.ts';

const script = fileURLToPath(new URL('../load/http-load.js', import.meta.url));

/** Sends requests from a process of its own, so that the sender's work is not on the thread of the bench. */
export function sendLoad(order: LoadOrder): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = fork(script, { serialization: 'advanced' });
    child.once('message', (result: LoadResult) => resolve(result));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the sender of requests ended early (${code})`)));
    child.send(order);
  });
}
