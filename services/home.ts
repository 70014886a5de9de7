import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stopLeftover } from './process-identity.ts';

/** Ends what a killed supervisor may have left running on this home. */
export async function stopLeftovers(home: string): Promise<string[]> {
  const stopped: string[] = [];
  for (const file of pidFiles(home)) {
    if (await stopLeftover(file)) stopped.push(basename(file, '.pid'));
  }
  return stopped;
}

function pidFiles(home: string): string[] {
  const folder = join(home, 'run');
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Only what the embedded start made itself; anything else in the folder is not ours to delete. */
const kept = [
  'postgres',
  'postgres.new',
  'postgres-password',
  'redis',
  'temporal',
  'logs',
  'run',
  'keys.json',
  'state.json',
];

export function wipe(home: string): void {
  for (const name of kept) rmSync(join(home, name), { recursive: true, force: true });
}
