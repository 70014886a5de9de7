import type { Client, WorkflowHandle } from '@temporalio/client';
import { parseEntry } from '../../db/board.ts';
import { newestLoggedPrice } from '../../db/price-log.ts';
import { liveDemand } from '../../db/live-inventory.ts';
import { redisKeys } from '../../db/redis-keys.ts';
import type { BoardEntry } from '../../domain/decision.ts';
import { type MarketId, parseZoneKey, zoneKey } from '../../domain/ids.ts';
import type { ZoneState } from '../../domain/zone.ts';
import { zoneWorkflowId } from '../../workflows/ids.ts';
import { state } from '../../workflows/zone-messages.ts';
import { type CheckDeps, pause } from './deps.ts';
import { Findings, type Subject } from './findings.ts';

const retryEveryMs = 500;

/**
 * P4 and P3 of one zone: log, board and workflow show the same version and multiplier, and the workflow has seen the newest
 * counters. Zones tick on while they are read, so a difference only counts when it is still there after `patienceMs`.
 */
export async function checkAgreement(deps: CheckDeps, zone: string, patienceMs: number): Promise<Findings> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const findings = new Findings();
    const [log, board, running] = await Promise.all([logOf(deps, zone), boardOf(deps, zone), workflowOf(deps, zone)]);
    findings.count('P4');
    findings.count('P3');
    for (const [subject, what] of differences(log, board, running)) findings.breach(subject, zone, what);
    for (const what of await unseen(deps, zone, board, running)) findings.breach('P3', zone, what);
    if (findings.breaches.length === 0 || Date.now() >= until) return findings;
    await pause(retryEveryMs);
  }
}

interface Price {
  readonly version: number;
  readonly multiplier: number;
}

async function logOf({ pool }: CheckDeps, zone: string): Promise<Price | undefined> {
  const address = parseZoneKey(zone);
  return address === undefined ? undefined : newestLoggedPrice(pool, address.zoneId, address.vehicleClass);
}

async function boardOf({ redis, market }: CheckDeps, zone: string): Promise<BoardEntry | undefined> {
  const text = await redis.get(redisKeys(market).pricing(zone));
  return text === null ? undefined : parseEntry(text);
}

/** The state of a running workflow; undefined when the zone sleeps or never ran, a text when it does not answer. */
async function workflowOf({ client, market }: CheckDeps, zone: string): Promise<ZoneState | string | undefined> {
  const handle = handleOf(client, market, zone);
  if (handle === undefined) return `${zone} is no key of a zone`;
  try {
    const { status } = await handle.describe();
    if (status.name === 'COMPLETED') return undefined;
    return status.name === 'RUNNING' ? await handle.query(state) : `the workflow is ${status.name}`;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return undefined;
    return `the workflow does not answer: ${String(error)}`;
  }
}

function handleOf(client: Client, market: MarketId, zone: string): WorkflowHandle | undefined {
  const address = parseZoneKey(zone);
  if (address === undefined) return undefined;
  return client.workflow.getHandle(zoneWorkflowId(market, address.zoneId, address.vehicleClass));
}

function differences(
  log: Price | undefined,
  board: BoardEntry | undefined,
  running: ZoneState | string | undefined,
): [Subject, string][] {
  const wrong: [Subject, string][] = [];
  const note = (what: string) => void wrong.push(['P4', what]);
  if (typeof running === 'string') note(running);
  if (board === undefined) {
    // A zone appears on the board at its first tick or change.
    if (log !== undefined) note(`the log is at version ${log.version}, the board has no entry`);
    if (typeof running === 'object' && running.version > 0)
      note(`the workflow is at ${shown(running)}, the board has no entry`);
    return wrong;
  }
  if (board.version !== (log?.version ?? 0))
    note(`the board is at version ${board.version}, the log at ${log?.version ?? 0}`);
  else if (log !== undefined && log.multiplier !== board.multiplier)
    note(`the board shows ${shown(board)}, the log ${shown(log)}`);
  const { decision } = board;
  if (decision !== null && (decision.version !== board.version || decision.multiplier !== board.multiplier)) {
    note(`the board shows ${shown(board)} beside the decision ${shown(decision)}`);
  }
  if (running === undefined && !board.counts.asleep) note('the board says it is awake, no workflow runs');
  if (typeof running === 'object' && (running.version !== board.version || running.multiplier !== board.multiplier)) {
    note(`the workflow is at ${shown(running)}, the board at ${shown(board)}`);
  }
  return wrong;
}

function shown({ version, multiplier }: Price): string {
  return `${multiplier} hundredths, version ${version}`;
}

/** Once nothing waits to be signalled, the zone has seen the last revision and demand total of the live state. */
async function unseen(
  { redis, market }: CheckDeps,
  zone: string,
  board: BoardEntry | undefined,
  running: ZoneState | string | undefined,
): Promise<string[]> {
  const seen = typeof running === 'object' ? running : board?.counts;
  const live = await liveDemand(redis, market, zone);
  if (seen === undefined) return live.rev === 0 ? [] : [`the live state is at rev ${live.rev}, no zone has seen any`];
  const wrong: string[] = [];
  if (seen.rev !== live.rev) wrong.push(`the live state is at rev ${live.rev}, the zone has seen ${seen.rev}`);
  if (seen.demandTotal !== live.totalTenths) {
    wrong.push(`the live state counts ${live.totalTenths} tenths of demand, the zone has seen ${seen.demandTotal}`);
  }
  return wrong;
}

/** Zones that have a place on the board, are awake, or stand in the live state. */
export async function zonesOf({ redis, market }: CheckDeps, logged: readonly string[]): Promise<string[]> {
  const keys = redisKeys(market);
  const [priced, active] = await Promise.all([
    redis.zrange(keys.priced, '0', '-1'),
    redis.zrange(keys.active, '0', '-1'),
  ]);
  return [...new Set([...logged, ...priced, ...active])]
    .flatMap((text) => parseZoneKey(text) ?? [])
    .map(({ zoneId, vehicleClass }) => zoneKey(zoneId, vehicleClass))
    .toSorted();
}
