import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import type { GlobalRules, PricingConfig, PricingMode, PricingType } from '../domain/config.ts';
import { defaultGlobalRules } from '../domain/config.ts';
import type { MarketId, VehicleClass, ZoneId } from '../domain/ids.ts';
import { redisKeys } from './redis-keys.ts';

/** A row of `zone_pricing_configs`; `zoneId` null is the default of the market. */
interface ConfigRow {
  zone_id: string | null;
  vehicle_class: VehicleClass | null;
  version: number;
  pricing_type: PricingType;
  use_ml_pricing: boolean;
  min_multiplier: string;
  max_multiplier: string;
  absolute_max: string | null;
  linear_factor: string;
  exponential_factor: string;
  rush_hour_multiplier: string;
  weather_multiplier: string;
  event_multiplier: string;
  max_change_per_period: string;
  mode: PricingMode;
  limited_auto_cap: string;
}

interface RulesRow {
  version: number;
  max_global_multiplier: string;
  emergency_mode: boolean;
  emergency_multiplier: string;
  maintenance_mode: boolean;
  maintenance_mode_multiplier: string;
  price_change_cooldown_seconds: number;
  surge_detection_threshold: string;
  price_stability_window_minutes: number;
}

interface KeptConfigs {
  readonly byZone: readonly (readonly [string, PricingConfig])[];
  readonly rules: GlobalRules;
}

/** The active configurations of a market: a zone's own one, else the market's default; one for the class before one for all. */
export class PricingConfigs {
  readonly #byZone: ReadonlyMap<string, PricingConfig>;
  readonly rules: GlobalRules;

  constructor(byZone: ReadonlyMap<string, PricingConfig>, rules: GlobalRules) {
    this.#byZone = byZone;
    this.rules = rules;
  }

  toJSON(): KeptConfigs {
    return { byZone: [...this.#byZone], rules: this.rules };
  }

  /** Undefined when the market has no active configuration for the class at all. */
  of(zoneId: ZoneId, vehicleClass: VehicleClass): PricingConfig | undefined {
    const from = (key: string) => this.#byZone.get(key);
    return from(`${zoneId}:${vehicleClass}`) ?? from(`${zoneId}:`) ?? from(`:${vehicleClass}`) ?? from(':');
  }
}

/** Reads what is active now; one statement each, a few rows for a market without zones of its own. */
export async function loadPricingConfigs(pool: Pool, market: MarketId): Promise<PricingConfigs> {
  const [configs, rules] = await Promise.all([
    pool.query<ConfigRow>(
      `select zone_id, vehicle_class, version, pricing_type, use_ml_pricing, min_multiplier, max_multiplier,
              absolute_max, linear_factor, exponential_factor, rush_hour_multiplier, weather_multiplier,
              event_multiplier, max_change_per_period, mode, limited_auto_cap
         from zone_pricing_configs
        where market_id = $1 and state = 'active' and is_active`,
      [market],
    ),
    pool.query<RulesRow>('select * from global_pricing_rules where is_active order by version desc limit 1'),
  ]);
  const byZone = new Map(configs.rows.map((row) => [`${row.zone_id ?? ''}:${row.vehicle_class ?? ''}`, configOf(row)]));
  const [active] = rules.rows;
  return new PricingConfigs(byZone, active === undefined ? defaultGlobalRules : rulesOf(active));
}

/** Like `loadPricingConfigs`; while Postgres is away, what it said when anybody read it last, as Redis keeps it. */
export async function readPricingConfigs(pool: Pool, redis: Redis, market: MarketId): Promise<PricingConfigs> {
  const key = redisKeys(market).pricingConfigs;
  try {
    const configs = await loadPricingConfigs(pool, market);
    // Nobody waits for it: Redis may be away. The next reader keeps it then.
    redis.set(key, JSON.stringify(configs)).catch(() => {});
    return configs;
  } catch (error) {
    const text = await redis.get(key).catch(() => null);
    if (text === null) throw error;
    const kept: KeptConfigs = JSON.parse(text);
    return new PricingConfigs(new Map(kept.byZone), kept.rules);
  }
}

function configOf(row: ConfigRow): PricingConfig {
  return {
    version: row.version,
    pricingType: row.use_ml_pricing ? 'ml_based' : row.pricing_type,
    minMultiplier: Number(row.min_multiplier),
    maxMultiplier: Number(row.max_multiplier),
    absoluteMax: Number(row.absolute_max ?? row.max_multiplier),
    linearFactor: Number(row.linear_factor),
    exponentialFactor: Number(row.exponential_factor),
    rushHourMultiplier: Number(row.rush_hour_multiplier),
    weatherMultiplier: Number(row.weather_multiplier),
    eventMultiplier: Number(row.event_multiplier),
    maxChangePerPeriod: Number(row.max_change_per_period),
    mode: row.mode,
    limitedAutoCap: Number(row.limited_auto_cap),
  };
}

function rulesOf(row: RulesRow): GlobalRules {
  return {
    version: row.version,
    maxGlobalMultiplier: Number(row.max_global_multiplier),
    emergencyMode: row.emergency_mode,
    emergencyMultiplier: Number(row.emergency_multiplier),
    maintenanceMode: row.maintenance_mode,
    maintenanceModeMultiplier: Number(row.maintenance_mode_multiplier),
    priceChangeCooldownSeconds: row.price_change_cooldown_seconds,
    surgeDetectionThreshold: Number(row.surge_detection_threshold),
    priceStabilityWindowMinutes: row.price_stability_window_minutes,
  };
}
