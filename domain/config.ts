import type { Hundredths } from './units.ts';

export const pricingTypes = ['piecewise', 'two_slope', 'linear', 'exponential', 'adaptive', 'ml_based'] as const;
export type PricingType = (typeof pricingTypes)[number];

export const pricingModes = ['full_auto', 'limited_auto', 'manual'] as const;
export type PricingMode = (typeof pricingModes)[number];

/** One version of how a zone × class is priced (table `zone_pricing_configs`). Multipliers are plain ratios. */
export interface PricingConfig {
  readonly version: number;
  readonly pricingType: PricingType;
  readonly minMultiplier: number;
  readonly maxMultiplier: number;
  readonly absoluteMax: number;
  readonly linearFactor: number;
  readonly exponentialFactor: number;
  readonly rushHourMultiplier: number;
  readonly weatherMultiplier: number;
  readonly eventMultiplier: number;
  readonly maxChangePerPeriod: number;
  readonly mode: PricingMode;
  readonly limitedAutoCap: number;
}

/** Switches and limits over all zones (table `global_pricing_rules`). */
export interface GlobalRules {
  readonly version: number;
  readonly maxGlobalMultiplier: number;
  readonly emergencyMode: boolean;
  readonly emergencyMultiplier: number;
  readonly maintenanceMode: boolean;
  readonly maintenanceModeMultiplier: number;
  readonly priceChangeCooldownSeconds: number;
  readonly surgeDetectionThreshold: number;
  readonly priceStabilityWindowMinutes: number;
}

/** What an operator asks for instead of the computed multiplier, until it expires. */
export interface Override {
  readonly multiplier: Hundredths;
  readonly expiresAtMs: number;
  readonly reason: string;
  readonly author: string;
}

export const defaultPricingConfig: PricingConfig = {
  version: 0,
  pricingType: 'linear',
  minMultiplier: 1,
  maxMultiplier: 5,
  absoluteMax: 5,
  linearFactor: 0.5,
  exponentialFactor: 0.3,
  rushHourMultiplier: 1.1,
  weatherMultiplier: 1.2,
  eventMultiplier: 1.3,
  maxChangePerPeriod: 0.5,
  mode: 'full_auto',
  limitedAutoCap: 3,
};

export const defaultGlobalRules: GlobalRules = {
  version: 0,
  maxGlobalMultiplier: 10,
  emergencyMode: false,
  emergencyMultiplier: 1,
  maintenanceMode: false,
  maintenanceModeMultiplier: 1,
  priceChangeCooldownSeconds: 60,
  surgeDetectionThreshold: 1.2,
  priceStabilityWindowMinutes: 5,
};

/** Length of a decay period, which is also the tick of a zone. */
export const decayPeriodMs = 30_000;

/** A fix older than this says nothing; a price older than this drifts. */
export const driverTtlMs = 300_000;
export const priceTtlMs = 300_000;
