import { randomUUID } from 'node:crypto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import type { WorkflowHandle } from '@temporalio/client';
import { createPricingActivities, type PricingActivities, type PricingDeps } from '../../activities/pricing.ts';
import { PricingConfigs } from '../../db/pricing-config.ts';
import { defaultGlobalRules, defaultPricingConfig, type GlobalRules, type PricingConfig } from '../../domain/config.ts';
import type { BoardEntry, Decision, Snapshot } from '../../domain/decision.ts';
import { type MarketId, parseMarketId, parseZoneId, type ZoneId, zoneKey } from '../../domain/ids.ts';
import type { Observation } from '../../domain/observation.ts';
import type { ZoneStart } from '../../domain/zone-board.ts';
import { zoneTaskTimeout, zoneWorkflowId, zoneWorkflowType } from '../../workflows/ids.ts';
import { observe } from '../../workflows/zone-messages.ts';
import { ensureSearchAttributes } from '../../services/search-attributes.ts';
import { services } from '../harness.ts';

export const market: MarketId = parseMarketId('nyc') ?? fail();
export const midtown: ZoneId = parseZoneId('nyc-midtown-center') ?? fail();

function fail(): never {
  throw new Error('fixture ids must parse');
}

/** The board's rules in memory: first writer of a version wins, refreshes keep the version. */
export class FakeBoard {
  readonly entries = new Map<string, BoardEntry>();
  readonly decisions: Decision[] = [];
  readonly snapshots: Snapshot[] = [];
  away = false;

  #there(): void {
    if (this.away) throw new Error('the board is away');
  }

  readonly access: PricingDeps['board'] = {
    publish: async (_market, entry, snapshot) => {
      this.#there();
      const key = zoneKey(entry.zoneId, entry.vehicleClass);
      const held = this.entries.get(key);
      if (held !== undefined && held.version >= entry.version) return { won: false, entry: held };
      this.entries.set(key, entry);
      this.decisions.push(entry.decision);
      if (snapshot !== null) this.snapshots.push(snapshot);
      return { won: true, entry };
    },
    refresh: async (_market, entry, snapshot) => {
      this.#there();
      const key = zoneKey(entry.zoneId, entry.vehicleClass);
      const held = this.entries.get(key);
      if ((held?.version ?? 0) > entry.version && held !== undefined) return { kind: 'ahead', entry: held };
      if ((held?.version ?? 0) < entry.version) return { kind: 'lost' };
      this.snapshots.push(snapshot);
      if ((held?.asOfMs ?? 0) > entry.asOfMs) return { kind: 'refreshed' };
      this.entries.set(key, { ...entry, decision: held?.decision ?? null });
      return { kind: 'refreshed' };
    },
    counts: async (_market, zones) => {
      this.#there();
      return zones.map((zone) => this.entries.get(zone));
    },
    entry: async (_market, zone) => {
      this.#there();
      return this.entries.get(zone);
    },
  };

  entry(zoneId: ZoneId = midtown): BoardEntry | undefined {
    return this.entries.get(zoneKey(zoneId, 'car'));
  }
}

export interface World {
  readonly board: FakeBoard;
  config: PricingConfig;
  rules: GlobalRules;
  recorded: ZoneStart['recorded'];
  rateFails: boolean;
  neighbours: { zoneId: ZoneId; distanceKm: number }[];
}

export function newWorld(): World {
  return {
    board: new FakeBoard(),
    config: { ...defaultPricingConfig, version: 1 },
    rules: { ...defaultGlobalRules, version: 1 },
    recorded: null,
    rateFails: false,
    neighbours: [],
  };
}

export function activitiesOf(world: World): PricingActivities {
  return createPricingActivities({
    board: world.board.access,
    recordedVersion: async () => world.recorded,
    neighbours: () => world.neighbours,
    configs: async () => {
      if (world.rateFails) throw new Error('configuration is away');
      return new PricingConfigs(new Map([[':', world.config]]), world.rules);
    },
  });
}

let bundle: Promise<WorkflowBundle> | undefined;

/** The workflow code as the worker bundles it, once per test file. */
export function workflowBundle(): Promise<WorkflowBundle> {
  bundle ??= bundleWorkflowCode({
    workflowsPath: new URL('../../workflows/index.ts', import.meta.url).pathname,
    logger: new DefaultLogger('WARN'),
  });
  return bundle;
}

export function hasTimeSkipping(): boolean {
  return services().timeSkippingServer !== undefined;
}

/** A server that skips time while nobody works, with the search attributes of the zones. */
export async function timeSkipping(): Promise<TestWorkflowEnvironment> {
  const path = services().timeSkippingServer;
  if (path === undefined) throw new Error('no time-skipping server');
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  await ensureSearchAttributes(env.connection, env.namespace ?? 'default');
  return env;
}

export interface Zone {
  readonly handle: WorkflowHandle;
  /** The next observation: rev, total and time go on by themselves. */
  see(change: { supply?: number; demand?: number; feed?: Observation['feed'] }): Promise<Observation>;
  send(observation: Observation): Promise<void>;
}

/** A zone in its own task queue, to which a test speaks as the signaller does. */
function zoneIn(env: TestWorkflowEnvironment, taskQueue: string, zoneId: ZoneId): Zone {
  const workflowId = `${zoneWorkflowId(market, zoneId, 'car')}:${taskQueue}`;
  let last: Observation = {
    epoch: 1,
    rev: 0,
    supply: 0,
    supplyAsOfMs: 0,
    feed: 'healthy',
    demandTotal: 0,
    observedAtMs: 0,
  };
  const send = async (observation: Observation) => {
    await env.client.workflow.signalWithStart(zoneWorkflowType, {
      workflowId,
      taskQueue,
      workflowTaskTimeout: zoneTaskTimeout,
      args: [{ marketId: market, zoneId, vehicleClass: 'car' }],
      signal: observe,
      signalArgs: [observation],
    });
  };
  return {
    handle: env.client.workflow.getHandle(workflowId),
    send,
    async see({ supply = last.supply, demand = 0, feed = 'healthy' }) {
      const nowMs = await env.currentTimeMs();
      const supplyAsOfMs = feed === 'healthy' ? nowMs : last.supplyAsOfMs;
      const moved = supply !== last.supply || demand > 0;
      last = {
        epoch: 1,
        rev: last.rev + (moved ? 1 : 0),
        supply,
        supplyAsOfMs,
        feed,
        demandTotal: last.demandTotal + Math.round(demand * 10),
        observedAtMs: nowMs,
      };
      await send(last);
      return last;
    },
  };
}

/** Runs `play` beside a worker of its own, and ends its zones: a zone nobody works for would hold up skipped time. */
export async function withWorker(
  env: TestWorkflowEnvironment,
  world: World,
  play: (zoneOf: (zoneId?: ZoneId) => Zone) => Promise<void>,
): Promise<void> {
  const taskQueue = `zones-${randomUUID()}`;
  const zones: Zone[] = [];
  const zoneOf = (zoneId = midtown) => {
    const zone = zoneIn(env, taskQueue, zoneId);
    zones.push(zone);
    return zone;
  };
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: await workflowBundle(),
    activities: activitiesOf(world),
    reuseV8Context: true,
  });
  await worker.runUntil(async () => {
    try {
      await play(zoneOf);
    } finally {
      // A zone that fell asleep has ended already.
      await Promise.all(zones.map(({ handle }) => handle.terminate('end of test').catch(() => {})));
    }
  });
}

const periodMs = 30_000;

/** Lives through whole minutes with the keep-alives of the signaller and some demand in each half minute. */
export async function minutes(
  env: TestWorkflowEnvironment,
  zone: Zone,
  count: number,
  change: { supply?: number; demand?: number; feed?: Observation['feed'] },
): Promise<void> {
  for (let half = 0; half < 2 * count; half += 1) {
    await zone.see(change);
    await env.sleep(periodMs);
  }
}
