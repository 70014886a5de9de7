import { decayPeriodMs } from '../domain/config.ts';
import { negligible } from '../domain/counts.ts';
import type { BoardEntry, Decision, Snapshot } from '../domain/decision.ts';
import { type MarketId, type VehicleClass, type ZoneId, zoneKey } from '../domain/ids.ts';
import type { Feed } from '../domain/observation.ts';
import { rate } from '../domain/rate.ts';
import type { Neighbour } from '../domain/smoothing.ts';
import type { ZoneStart } from '../domain/zone-board.ts';
import type { ZoneRating } from '../domain/zone-decision.ts';
import type { Published, Refreshed } from '../db/board.ts';
import type { PricingConfigs } from '../db/pricing-config.ts';

export interface ZoneAddress {
  readonly marketId: MarketId;
  readonly zoneId: ZoneId;
  readonly vehicleClass: VehicleClass;
}

interface ZoneNow extends ZoneAddress {
  readonly nowMs: number;
}

/** Versions of the zone's last rating. */
export interface RatedUnder {
  readonly configVersion: number;
  readonly globalVersion: number;
}

export type RefreshedZone =
  | Exclude<Refreshed, { kind: 'refreshed' }>
  | { readonly kind: 'refreshed'; readonly stirred: boolean };

/** What only the zone knows; everything else is gathered. */
export interface RateZoneInput extends ZoneAddress {
  readonly supply: number;
  readonly demand: number;
  readonly feed: Feed;
  readonly supplyAsOfMs: number;
  readonly last: number;
  readonly adaptiveFactor: number;
  readonly nowMs: number;
}

export interface PricingDeps {
  readonly board: {
    publish(
      market: MarketId,
      entry: BoardEntry & { readonly decision: Decision },
      snapshot: Snapshot | null,
    ): Promise<Published>;
    refresh(market: MarketId, entry: BoardEntry, snapshot: Snapshot): Promise<Refreshed>;
    /** Entries without their decisions, in the order asked. */
    counts(market: MarketId, zones: readonly string[]): Promise<(Omit<BoardEntry, 'decision'> | undefined)[]>;
    entry(market: MarketId, zone: string): Promise<BoardEntry | undefined>;
  };
  /** The newest version that the price log and the quotes know of. Throws when Postgres cannot say. */
  readonly recordedVersion: (zone: ZoneAddress) => Promise<ZoneStart['recorded']>;
  readonly neighbours: (market: MarketId, zoneId: ZoneId) => readonly { zoneId: ZoneId; distanceKm: number }[];
  readonly configs: (market: MarketId) => Promise<PricingConfigs>;
}

export type PricingActivities = ReturnType<typeof createPricingActivities>;

export function createPricingActivities({ board, recordedVersion, neighbours, configs }: PricingDeps) {
  async function freshNeighbours({ marketId, zoneId, vehicleClass, nowMs }: ZoneNow): Promise<Neighbour[]> {
    const near = neighbours(marketId, zoneId);
    const entries = await board.counts(
      marketId,
      near.map((zone) => zoneKey(zone.zoneId, vehicleClass)),
    );
    return near.flatMap(({ distanceKm }, i) => {
      const counts = entries[i]?.counts;
      const fresh = counts !== undefined && !counts.asleep && counts.feed === 'healthy';
      if (!fresh || nowMs - counts.supplyAsOfMs > 2 * decayPeriodMs) return [];
      return [{ distanceKm, supply: counts.supply, demand: counts.demand }];
    });
  }

  async function isStirred(zone: ZoneNow, rated: RatedUnder): Promise<boolean> {
    const [all, near] = await Promise.all([configs(zone.marketId), freshNeighbours(zone)]);
    const version = all.of(zone.zoneId, zone.vehicleClass)?.version;
    if (version !== rated.configVersion || all.rules.version !== rated.globalVersion) return true;
    return near.some(({ demand }) => demand >= negligible);
  }

  return {
    /** Only reads. Throws when neither the board nor Postgres can tell the zone's last version: it must not publish then. */
    async loadZone(zone: ZoneAddress): Promise<ZoneStart> {
      const entry = (await board.entry(zone.marketId, zoneKey(zone.zoneId, zone.vehicleClass))) ?? null;
      // With an entry on the board Postgres only confirms; without one nobody else knows the versions.
      const recorded = entry === null ? await recordedVersion(zone) : await recordedVersion(zone).catch(() => null);
      return { entry, recorded };
    },

    /** Gathers what the zone cannot know and runs the pure rating. Only reads, so a second run is harmless. */
    async rateZone(input: RateZoneInput): Promise<ZoneRating> {
      const [all, near] = await Promise.all([configs(input.marketId), freshNeighbours(input)]);
      const config = all.of(input.zoneId, input.vehicleClass);
      if (config === undefined) throw new Error(`no active pricing configuration for ${input.zoneId}`);
      const rating = rate({
        own: { supply: input.supply, demand: input.demand },
        neighbours: near,
        feed: input.feed,
        observationAgeMs: Math.max(0, input.nowMs - input.supplyAsOfMs),
        last: input.last,
        config,
        adaptiveFactor: input.adaptiveFactor,
        context: { rushHour: false, severeWeather: false, event: false },
      });
      const { version, mode, minMultiplier, absoluteMax, limitedAutoCap, maxChangePerPeriod } = config;
      return {
        rating,
        config: { version, mode, minMultiplier, absoluteMax, limitedAutoCap, maxChangePerPeriod },
        global: all.rules,
        regulatoryCaps: [],
      };
    },

    /** Safe to run twice: the board takes a version once and answers with what it holds for that version. */
    async publishPrice(
      marketId: MarketId,
      entry: BoardEntry & { readonly decision: Decision },
      snapshot: Snapshot | null,
    ): Promise<Published> {
      return board.publish(marketId, entry, snapshot);
    },

    /**
     * Safe to run twice: the same counts under the same version, and a snapshot that is recorded once per tick.
     * `stirred` tells a zone that skipped its decision that its neighbours or its configuration give it a reason to decide.
     */
    async refreshBoard(
      marketId: MarketId,
      entry: BoardEntry,
      snapshot: Snapshot,
      rated: RatedUnder,
    ): Promise<RefreshedZone> {
      const answer = await board.refresh(marketId, entry, snapshot);
      if (answer.kind !== 'refreshed') return answer;
      const { zoneId, vehicleClass, asOfMs: nowMs } = entry;
      const stirred = await isStirred({ marketId, zoneId, vehicleClass, nowMs }, rated).catch(() => false);
      return { kind: 'refreshed', stirred };
    },
  };
}
