import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServiceError } from './errors.ts';
import { identify } from '../platform/process-identity.ts';
import { readPidFile } from './process-identity.ts';

/** One supervisor per home. A lock left behind by a killed one is taken over. Returns the release. */
export function lockHome(home: string): () => void {
  mkdirSync(home, { recursive: true, mode: 0o755 });
  const path = join(home, 'lock');
  const mine = identify(process.pid) ?? String(process.pid);
  for (;;) {
    try {
      writeFileSync(path, mine, { flag: 'wx' });
      return () => {
        if (readFileSync(path, 'utf8') === mine) rmSync(path, { force: true });
      };
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
      const holder = readPidFile(path);
      if (holder !== undefined) {
        throw new ServiceError(
          `Equilibrium is already running on ${home} (process ${holder}). Stop it first, or set EQUILIBRIUM_HOME to another folder.`,
        );
      }
      rmSync(path, { force: true });
    }
  }
}
