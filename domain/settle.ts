import type { GlobalRules, Override, PricingConfig } from './config.ts';
import type { Factor } from './decision.ts';
import { Chain } from './factor-chain.ts';
import { floorHundredths, fromHundredths, type Hundredths, toHundredths } from './units.ts';

export interface Limits {
  readonly config: Pick<PricingConfig, 'mode' | 'absoluteMax' | 'limitedAutoCap' | 'maxChangePerPeriod'>;
  readonly global: Omit<GlobalRules, 'version'>;
  /** Flat and emergency caps of the regulator that are in force now. */
  readonly regulatoryCaps: readonly Hundredths[];
  readonly override: Pick<Override, 'multiplier' | 'expiresAtMs'> | null;
  /** The rating's guard was `feed-stale`: no cooldown, and never above the last multiplier. */
  readonly feedStale: boolean;
}

export interface SettleState {
  /** The multiplier in force. */
  readonly last: Hundredths;
  /** The multiplier at the start of the current tick-aligned period. */
  readonly periodStart: Hundredths;
  /** null while nothing was ever published. */
  readonly lastChangedAtMs: number | null;
}

/** Why a decision was free of cooldown and gradual limit. */
export type Exemption = 'override' | 'emergency' | 'maintenance' | 'cap';

interface Settled {
  /** What would be in force without override and manual mode. */
  readonly recommended: Hundredths;
  /** From `rated` to the multiplier in force after the decision. */
  readonly factors: readonly Factor[];
}

export type Settlement = Settled &
  (
    | { readonly kind: 'held'; readonly at: Hundredths; readonly by: 'cooldown' | 'unchanged' | 'manual' }
    | {
        readonly kind: 'moved';
        readonly from: Hundredths;
        readonly to: Hundredths;
        readonly exempt: readonly Exemption[];
      }
  );

/** Rules 5–10: `rated` is the multiplier that rules 1–4 ask for; the result never exceeds a cap in force. */
export function settle(rated: number, state: SettleState, limits: Limits, nowMs: number): Settlement {
  const applied = run(rated, state, limits, nowMs);
  const free: Limits = { ...limits, override: null, config: { ...limits.config, mode: withoutManual(limits) } };
  const settled = { recommended: run(rated, state, free, nowMs).to, factors: applied.factors };
  const { last } = state;
  if (applied.to === last) return { kind: 'held', at: last, by: applied.heldBy ?? 'unchanged', ...settled };
  return { kind: 'moved', from: last, to: applied.to, exempt: applied.exempt, ...settled };
}

/** The highest multiplier that may be published, whatever anybody asks for. */
export function capInForce({ config, global, regulatoryCaps }: Limits): Hundredths {
  const caps = [floorHundredths(config.absoluteMax), floorHundredths(global.maxGlobalMultiplier), ...regulatoryCaps];
  if (config.mode === 'limited_auto') caps.push(floorHundredths(config.limitedAutoCap));
  return Math.min(...caps);
}

/** Rule 9: how far a multiplier may go within one period; a checker can hold recorded decisions against it. */
export function periodLimits(periodStart: Hundredths, maxChange: number): { low: Hundredths; high: Hundredths } {
  const start = fromHundredths(periodStart);
  return { low: toHundredths(start * (1 - maxChange)), high: toHundredths(start * (1 + maxChange)) };
}

interface Run {
  readonly to: Hundredths;
  readonly heldBy: 'cooldown' | 'manual' | null;
  readonly exempt: readonly Exemption[];
  readonly factors: readonly Factor[];
}

function run(rated: number, state: SettleState, limits: Limits, nowMs: number): Run {
  const cap = capInForce(limits);
  const active = switchInForce(limits.global);
  const override = overrideInForce(limits, nowMs);
  const chain = new Chain(rated);

  applyCap(chain, cap);
  if (active !== null) chain.apply(active.name, fromHundredths(active.multiplier), `${active.name} mode is on`);
  if (override !== null) applyOverride(chain, override, active !== null);
  const exempt = exemptions(state.last, { cap, active, overridden: override !== null });
  const commanded = active !== null || override !== null;
  if (limits.config.mode === 'manual' && !commanded) {
    chain.apply('manual', fromHundredths(state.last), 'manual mode: the last multiplier stays');
    applyCap(chain, cap);
    return { to: toHundredths(chain.value), heldBy: 'manual', exempt, factors: chain.factors };
  }
  const heldBy = exempt.length === 0 ? applyPace(chain, state, limits, commanded, cap, nowMs) : null;
  applyCap(chain, cap);
  applyRounding(chain);
  return { to: toHundredths(chain.value), heldBy, exempt, factors: chain.factors };
}

/** Rules 8 and 9. A wish that comes out at the last multiplier anyway is not held by the cooldown, it is unchanged. */
function applyPace(
  chain: Chain,
  state: SettleState,
  limits: Limits,
  commanded: boolean,
  cap: Hundredths,
  nowMs: number,
): 'cooldown' | null {
  const { low, high } = periodLimits(state.periodStart, limits.config.maxChangePerPeriod);
  const paced = Math.min(Math.max(chain.value, fromHundredths(low)), fromHundredths(high));
  // The lower limit of a period that began higher must not lift a price nobody knows the supply for.
  const ceiling = limits.feedStale && !commanded ? fromHundredths(state.last) : Number.POSITIVE_INFINITY;
  const to = Math.min(toHundredths(Math.min(paced, ceiling)), cap);
  if (to !== state.last && !limits.feedStale && cooling(state, limits, nowMs)) {
    const seconds = limits.global.priceChangeCooldownSeconds;
    chain.apply('cooldown', fromHundredths(state.last), `changed less than ${seconds} s ago`);
    return 'cooldown';
  }
  chain.applyIfChanged('gradual', paced, `within ${fromHundredths(low)} and ${fromHundredths(high)} in this period`);
  chain.applyIfChanged('feed-stale', Math.min(paced, ceiling), 'no trusted driver feed: never above the last');
  return null;
}

interface ActiveSwitch {
  readonly name: 'emergency' | 'maintenance';
  readonly multiplier: Hundredths;
}

/** Rule 6; with both switches on the emergency decides. */
function switchInForce(global: Limits['global']): ActiveSwitch | null {
  if (global.emergencyMode) return { name: 'emergency', multiplier: toHundredths(global.emergencyMultiplier) };
  if (global.maintenanceMode) {
    return { name: 'maintenance', multiplier: toHundredths(global.maintenanceModeMultiplier) };
  }
  return null;
}

function overrideInForce({ override }: Limits, nowMs: number): Hundredths | null {
  return override !== null && nowMs < override.expiresAtMs ? override.multiplier : null;
}

function applyOverride(chain: Chain, override: Hundredths, mayOnlyLower: boolean): void {
  const value = fromHundredths(override);
  if (!mayOnlyLower) chain.apply('override', value, 'set by an operator');
  else chain.apply('override', Math.min(value, chain.value), 'set by an operator; while a switch is on it only lowers');
}

function exemptions(
  last: Hundredths,
  force: { cap: Hundredths; active: ActiveSwitch | null; overridden: boolean },
): Exemption[] {
  const found: Exemption[] = [];
  if (force.overridden) found.push('override');
  if (force.active !== null && force.active.multiplier < last) found.push(force.active.name);
  if (force.cap < last) found.push('cap');
  return found;
}

function cooling({ lastChangedAtMs }: SettleState, { global }: Limits, nowMs: number): boolean {
  return lastChangedAtMs !== null && nowMs - lastChangedAtMs < global.priceChangeCooldownSeconds * 1000;
}

function applyCap(chain: Chain, cap: Hundredths): void {
  chain.applyIfChanged('cap', Math.min(chain.value, fromHundredths(cap)), `at most ${fromHundredths(cap)}`);
}

function applyRounding(chain: Chain): void {
  chain.applyIfChanged('rounding', fromHundredths(toHundredths(chain.value)), 'half up to a whole hundredth');
}

function withoutManual({ config }: Limits): PricingConfig['mode'] {
  return config.mode === 'manual' ? 'full_auto' : config.mode;
}
