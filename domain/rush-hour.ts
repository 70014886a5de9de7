/** Hours of the market's own clock in which rule 2 applies: 07:00–09:59 and 17:00–19:59. */
const rushHours: ReadonlySet<number> = new Set([7, 8, 9, 17, 18, 19]);

const formats = new Map<string, Intl.DateTimeFormat>();

/** The hour, 0–23, that a clock shows in an IANA time zone. Throws RangeError for a zone that does not exist. */
export function localHour(atMs: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', hourCycle: 'h23' });
    formats.set(timeZone, format);
  }
  return Number(format.format(atMs));
}

export function isRushHour(atMs: number, timeZone: string): boolean {
  return rushHours.has(localHour(atMs, timeZone));
}
