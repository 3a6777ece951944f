import { HEALTH_TYPES, type HealthType } from "./quantity-types.ts";

/** Names of older clients and of Apple's own, and the type that they mean. */
const ALIASES: Readonly<Record<string, string>> = {
  steps: "stepCount",
  distance: "distanceWalkingRunning",
  mindfulSession: "mindfulMinutes",
  heartRateVariabilitySDNN: "heartRateVariability",
  appleExerciseTime: "exerciseTime",
  appleStandHour: "standHours",
  dietaryEnergyConsumed: "dietaryEnergy",
  vO2Max: "vo2Max",
  uVExposure: "uvExposure",
  walkingAsymmetry: "walkingAsymmetryPercentage",
  walkingDoubleSupport: "walkingDoubleSupportPercentage",
  walkingSteadiness: "appleWalkingSteadiness",
  sleepingWristTemperature: "appleSleepingWristTemperature",
  appleSleepingBreathingDisturbances: "sleepingBreathingDisturbances",
};

const APPLE_PREFIX = /^HK(?:Quantity|Category)TypeIdentifier(?=[A-Z])/;

const KNOWN: ReadonlyMap<string, HealthType> = knownNames();

function knownNames(): ReadonlyMap<string, HealthType> {
  const names = new Map<string, HealthType>(HEALTH_TYPES);
  for (const [alias, name] of Object.entries(ALIASES)) names.set(alias, HEALTH_TYPES.get(name)!);
  for (const [name, type] of [...names]) {
    const apple = name.charAt(0).toUpperCase() + name.slice(1);
    names.set(`HKQuantityTypeIdentifier${apple}`, type);
    names.set(`HKCategoryTypeIdentifier${apple}`, type);
  }
  return names;
}

/** The type that a name (canonical, alias or Apple identifier) means, or undefined when it is unknown. */
export function findHealthType(name: string): HealthType | undefined {
  return KNOWN.get(name);
}

/**
 * The name under which the tables hold a type: aliases and Apple identifiers resolved, and of an unknown Apple
 * identifier (which a lenient validator lets pass) the part behind its prefix.
 */
export function canonicalHealthType(name: string): string {
  const known = KNOWN.get(name);
  if (known !== undefined) return known.name;
  const bare = name.replace(APPLE_PREFIX, "");
  return bare === name ? name : bare.charAt(0).toLowerCase() + bare.slice(1);
}

/** The unit that values of a type are stored in; undefined for a type that is not known. */
export function healthUnit(name: string): string | undefined {
  return KNOWN.get(name)?.unit;
}
