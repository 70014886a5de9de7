import type { Progress } from './progress.ts';

/** What each of the embedded services is given. */
export interface ServiceSettings {
  /** Folder of everything that is kept; `logs/`, `run/` and one folder per service in it. */
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly restartDelayMs?: number | undefined;
  /** Wanted ports; a port in use is stepped around, 0 takes any. */
  readonly ports?: Partial<WantedPorts>;
  readonly onRestart?: (name: string, reason: string) => void;
}

export interface WantedPorts {
  readonly temporal: number;
  readonly temporalUi: number;
  readonly postgres: number;
  readonly redis: number;
}

export const usualPorts: WantedPorts = { temporal: 7233, temporalUi: 8233, postgres: 5432, redis: 6379 };
