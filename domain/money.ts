/** ISO 4217 currencies whose minor unit is not a hundredth. */
const unusualDecimals: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    ['BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV'].map(
      (code) => [code, 0] as const,
    ),
  ),
  ...Object.fromEntries(['XAF', 'XOF', 'XPF'].map((code) => [code, 0] as const)),
  ...Object.fromEntries(['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'].map((code) => [code, 3] as const)),
  CLF: 4,
  UYW: 4,
};

/** Digits after the point of a currency's major unit: USD 2, JPY 0, KWD 3. */
export function currencyDecimals(currency: string): number {
  return unusualDecimals[currency] ?? 2;
}

/** Whole minor units as the major-unit number that JSON carries: 1105 cents are 11.05. */
export function toMajor(minor: number, currency: string): number {
  return minor / 10 ** currencyDecimals(currency);
}

/** Decimal text is kept in whole millionths, so that sums and products are exact. */
const fractionDigits = 6;
export const millionths = 10n ** BigInt(fractionDigits);

/** `2.50` as 2500000 millionths. Throws RangeError on anything but a plain non-negative decimal of at most 6 places. */
export function parseDecimal(text: string): bigint {
  const [, whole = '', fraction = ''] = /^(\d{1,12})(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  if (whole === '') throw new RangeError(`not a decimal amount: ${text}`);
  return BigInt(whole) * millionths + BigInt(fraction.padEnd(fractionDigits, '0'));
}

/** value / divisor to the nearest whole number, halves up; both are non-negative. */
export function divideHalfUp(value: bigint, divisor: bigint): bigint {
  return (2n * value + divisor) / (2n * divisor);
}
