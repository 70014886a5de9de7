import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentProgress } from '../../services/progress.ts';
import type { ServiceSettings } from '../../services/settings.ts';

export interface Scratch extends Disposable {
  readonly home: string;
  readonly settings: ServiceSettings;
}

/** A home of its own in the temporary folder, any free ports, and none of the caller's own services. */
export function scratchHome(env: NodeJS.ProcessEnv = {}): Scratch {
  const home = mkdtempSync(join(tmpdir(), 'equilibrium-services-'));
  chmodSync(home, 0o755);
  const ports = { temporal: 0, temporalUi: 0, postgres: 0, redis: 0 };
  return {
    home,
    settings: {
      home,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      ports,
      progress: silentProgress,
    },
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}
