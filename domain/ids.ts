declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type MarketId = Branded<'MarketId'>;
export type ZoneId = Branded<'ZoneId'>;
export type DriverId = Branded<'DriverId'>;

/** A short slug such as `nyc`; it becomes the hash tag of every Redis key of the market. */
export function parseMarketId(text: string): MarketId | undefined {
  return /^[a-z][a-z0-9-]{1,30}$/.test(text) ? (text as MarketId) : undefined;
}

/** A slug (`nyc-midtown-center`), or a bare H3 cell of resolution 8 in its text form (15 hex digits). */
export function parseZoneId(text: string): ZoneId | undefined {
  return /^(88[0-9a-f]{13}|[a-z][a-z0-9-]{2,62})$/.test(text) ? (text as ZoneId) : undefined;
}

/** The id of a driver (or of a rider) in the calling app: 1–64 letters, digits, `_`, `.`, `-`. */
export function parseDriverId(text: string): DriverId | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text) ? (text as DriverId) : undefined;
}

/** Vehicles that stand in for each other share a class; classes are priced apart. */
export const vehicleClasses = ['car', 'scooter', 'bike'] as const;
export type VehicleClass = (typeof vehicleClasses)[number];

export const vehicleTypes = ['standard', 'xl', 'premium', 'scooter', 'bike'] as const;
export type VehicleType = (typeof vehicleTypes)[number];

export function classOf(type: VehicleType): VehicleClass {
  switch (type) {
    case 'standard':
    case 'xl':
    case 'premium':
      return 'car';
    case 'scooter':
      return 'scooter';
    case 'bike':
      return 'bike';
    default:
      return type satisfies never;
  }
}

/** The pricing unit, zone × class, as one string: `nyc-midtown-center:car`. */
export type ZoneKey = `${ZoneId}:${VehicleClass}`;

export function zoneKey(zoneId: ZoneId, vehicleClass: VehicleClass): ZoneKey {
  return `${zoneId}:${vehicleClass}`;
}

export function parseZoneKey(text: string): { zoneId: ZoneId; vehicleClass: VehicleClass } | undefined {
  const [zone = '', name = '', ...rest] = text.split(':');
  const zoneId = parseZoneId(zone);
  const vehicleClass = vehicleClasses.find((known) => known === name);
  if (zoneId === undefined || vehicleClass === undefined || rest.length > 0) return undefined;
  return { zoneId, vehicleClass };
}
