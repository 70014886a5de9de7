import { ApplicationFailure } from '@temporalio/workflow';
import type { Override } from '../domain/config.ts';
import { fromHundredths, type Hundredths } from '../domain/units.ts';

const longestOverrideMs = 24 * 3_600_000;

/** Validator of `setOverride`: a refused order leaves no trace in the history. */
export function refuseBadOverride(override: Override, cap: Hundredths, nowMs: number): void {
  const { multiplier, expiresAtMs } = override;
  refuseWithoutReason(override);
  if (!Number.isInteger(multiplier) || multiplier <= 0) refuse('the multiplier must be a positive whole hundredth');
  if (multiplier > cap) refuse(`the multiplier is above the cap in force, ${fromHundredths(cap)}`);
  if (!Number.isFinite(expiresAtMs) || expiresAtMs <= nowMs) refuse('the override has expired already');
  if (expiresAtMs > nowMs + longestOverrideMs) refuse('an override lasts at most 24 hours');
}

export function refuseWithoutReason({ reason, author }: { reason: string; author: string }): void {
  if (typeof reason !== 'string' || reason.trim() === '') refuse('a reason is required');
  if (typeof author !== 'string' || author.trim() === '') refuse('an author is required');
}

function refuse(why: string): never {
  throw ApplicationFailure.nonRetryable(why, 'OrderRefused');
}
