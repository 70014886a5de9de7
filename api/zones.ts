import type { Client } from '@temporalio/client';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { BoardEntry } from '../domain/decision.ts';
import { demandLevel } from '../domain/guidance.ts';
import { parseZoneId, type VehicleClass, vehicleClasses } from '../domain/ids.ts';
import { fromHundredths } from '../domain/units.ts';
import type { Place } from '../geo/zone-index.ts';
import type { Role } from '../platform/tokens.ts';
import { zoneWorkflowId } from '../workflows/ids.ts';
import { callerOf } from './auth.ts';
import { parse } from './body.ts';
import type { Geography } from './geography.ts';
import type { Price, Prices } from './prices.ts';
import { shownCount, shownFactors } from './privacy.ts';
import { Problem } from './problem.ts';
import { pathParameter, type Route } from './route.ts';
import { askZone } from './zone-workflow.ts';

export interface ZoneDeps {
  readonly geography: Geography;
  readonly prices: Prices;
  readonly temporal: Client | undefined;
  /** Base address of the Temporal UI, for links; undefined while unknown. */
  readonly temporalUi: () => string | undefined;
}

const Query = z.strictObject({ from: z.enum(['workflow', 'board']).default('board') });

export function zoneRoutes(deps: ZoneDeps): Route[] {
  return [
    {
      method: 'get',
      path: '/api/v1/pricing/zones/:zone_id',
      access: ['rider', 'driver', 'service', 'operator', 'admin'],
      handle: (req, res) => getZone(deps, req, res),
    },
  ];
}

async function getZone(deps: ZoneDeps, req: Request, res: Response): Promise<void> {
  const { from } = parse(Query, req.query);
  const zoneId = parseZoneId(pathParameter(req, 'zone_id'));
  const place = zoneId === undefined ? undefined : deps.geography.map().zone(zoneId);
  if (place === undefined) throw new Problem('zone-not-found');
  const { role } = callerOf(res);
  const present = from === 'workflow' ? workflowPrice : boardPrice;
  const prices = await Promise.all(vehicleClasses.map((name) => present(deps, place, name, role)));
  res.json({
    zone_id: place.zoneId,
    zone_name: place.zoneName,
    market_id: place.marketId,
    prices: prices.filter((price) => price !== undefined),
  });
}

async function boardPrice({ prices, temporalUi, temporal }: ZoneDeps, place: Place, name: VehicleClass, role: Role) {
  const price = await prices.price(place.marketId, place.zoneId, name, Date.now());
  return {
    vehicle_class: name,
    surge_multiplier: fromHundredths(price.multiplier),
    demand_level: demandLevel(price.multiplier),
    price_version: price.version,
    price_as_of: price.asOfMs === null ? null : new Date(price.asOfMs).toISOString(),
    source: price.source,
    ...counts(price.entry, role),
    ...decided(price, role),
    workflow: workflowLink(place, name, temporal?.options.namespace, temporalUi()),
  };
}

function counts(entry: BoardEntry | undefined, role: Role) {
  return {
    supply_count: shownCount(entry?.counts.supply ?? 0, role),
    demand_count: shownCount(entry?.counts.demand ?? 0, role),
    demand_trend: entry?.counts.trend ?? 'stable',
    stable: entry?.counts.stable ?? true,
    asleep: entry?.counts.asleep ?? true,
  };
}

function decided({ entry, explanation }: Price, role: Role) {
  const decision = entry?.decision ?? null;
  return {
    algorithm_used: decision?.algorithm ?? null,
    confidence_score: entry?.counts.confidence ?? null,
    smoothing_factor: decision?.smoothingFactor ?? null,
    neighboring_zones_count: decision?.neighbours ?? null,
    config_version: decision?.configVersion ?? null,
    trigger_reason: decision?.trigger ?? null,
    factors: shownFactors(explanation, decision, entry?.counts, role),
  };
}

function workflowLink(place: Place, name: VehicleClass, namespace = 'default', ui?: string) {
  const id = zoneWorkflowId(place.marketId, place.zoneId, name);
  const path = `/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(id)}`;
  return { workflow_id: id, ...(ui === undefined ? {} : { url: `${ui}${path}` }) };
}

/** As the workflow itself sees it; a class without a workflow is left out. */
async function workflowPrice({ temporal, temporalUi }: ZoneDeps, place: Place, name: VehicleClass, role: Role) {
  if (temporal === undefined) throw new Problem('workflow-unavailable', { retryAfterSeconds: 15 });
  const zone = await askZone(temporal, zoneWorkflowId(place.marketId, place.zoneId, name));
  if (zone === undefined) return undefined;
  return {
    vehicle_class: name,
    surge_multiplier: fromHundredths(zone.multiplier),
    demand_level: demandLevel(zone.multiplier),
    price_version: zone.version,
    price_as_of: new Date(zone.asOfMs).toISOString(),
    source: 'workflow',
    supply_count: shownCount(zone.supply, role),
    demand_count: shownCount(zone.demand, role),
    confidence_score: zone.confidence,
    algorithm_used: zone.lastDecision?.algorithm ?? null,
    smoothing_factor: zone.lastDecision?.smoothingFactor ?? null,
    neighboring_zones_count: zone.lastDecision?.neighbours ?? null,
    config_version: zone.lastDecision?.configVersion ?? null,
    trigger_reason: zone.lastDecision?.trigger ?? null,
    factors: shownFactors(zone.lastDecision?.factors ?? [], zone.lastDecision, zone, role),
    workflow: workflowLink(place, name, temporal.options.namespace, temporalUi()),
  };
}
