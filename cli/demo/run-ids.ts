import { fixTimeMs } from './simulation.ts';

/** All ids of a run follow from these and a number, so that remembering an event takes one number. */
export interface RunIds {
  /** Begins every event id and rider of the run. */
  readonly prefix: string;
  readonly startMs: number;
  readonly drivers: number;
}

export const eventIds = {
  /** The n-th fix: drivers report in turn. Drivers keep their names from run to run, so no run leaves a second fleet. */
  fix({ prefix, startMs, drivers }: RunIds, n: number) {
    return {
      eventId: `${prefix}-f${n}`,
      driverId: `demo-driver-${n % drivers}`,
      atMs: startMs + fixTimeMs(n, drivers),
    };
  },
  /** Every request comes from another rider. */
  request({ prefix }: RunIds, n: number) {
    return { eventId: `${prefix}-r${n}`, rider: `${prefix}-rider-${n}` };
  },
} as const;
