import { conversionsTo, type Conversion } from "./units.ts";

/** A kind of measurement that the lake takes. Ranges are inclusive and in `unit`, in which values are stored. */
export interface HealthType {
  readonly name: string;
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  /** Percentages that phones also send as 0–1 under `%`: such a value is stored and counted as a warning. */
  readonly mayBeFraction: boolean;
  readonly conversions: ReadonlyMap<string, Conversion>;
}

type Row = readonly [name: string, min: number, max: number, alsoUnits?: readonly string[]];

/** Hours of which one was stood in: Apple counts them, other clients write the hours as their unit. */
const STAND_HOURS = ["hr", "h", "hrs", "hour", "hours"];

const BY_UNIT: Readonly<Record<string, readonly Row[]>> = {
  "count/min": [
    ["heartRate", 30, 250],
    ["restingHeartRate", 20, 250],
    ["walkingHeartRateAverage", 20, 250],
    ["heartRateRecoveryOneMinute", 0, 200],
    ["respiratoryRate", 5, 60],
    ["cyclingCadence", 0, 300],
    ["runningCadence", 0, 400],
    ["walkingCadence", 0, 300],
    ["swimmingCadence", 0, 200],
  ],
  count: [
    ["stepCount", 0, 100_000],
    ["flightsClimbed", 0, 10_000],
    ["pushCount", 0, 100_000],
    ["swimmingStrokeCount", 0, 100_000],
    ["standHours", 0, 24, STAND_HOURS],
    ["bodyMassIndex", 10, 100, ["kg/m²", "kg/m2", "kg/m^2"]],
    ["inhalerUsage", 0, 1000],
    ["nikeFuel", 0, 100_000],
    ["numberOfAlcoholicBeverages", 0, 200],
    ["numberOfTimesFallen", 0, 1000],
    ["uvExposure", 0, 30],
    ["workoutEffortScore", 0, 10, ["appleEffortScore"]],
    ["estimatedWorkoutEffortScore", 0, 10, ["appleEffortScore"]],
    ["sleepingBreathingDisturbances", 0, 1000],
  ],
  m: [
    ["distanceWalkingRunning", 0, 100_000],
    ["distanceCycling", 0, 1_000_000],
    ["distanceSwimming", 0, 100_000],
    ["distanceWheelchair", 0, 200_000],
    ["distanceDownhillSnowSports", 0, 500_000],
    ["distanceCrossCountrySkiing", 0, 500_000],
    ["distancePaddleSports", 0, 500_000],
    ["distanceRowing", 0, 500_000],
    ["distanceSkatingSports", 0, 500_000],
    ["sixMinuteWalkTestDistance", 0, 2000],
    ["runningStrideLength", 0, 10],
    ["underwaterDepth", 0, 500],
  ],
  cm: [
    ["height", 50, 300],
    ["waistCircumference", 30, 300],
    ["walkingStepLength", 0, 300],
    ["runningVerticalOscillation", 0, 100],
  ],
  kcal: [
    ["activeEnergyBurned", 0, 10_000],
    ["basalEnergyBurned", 0, 5000],
    // Active and basal together, as Fitbit and Health Connect report it.
    ["totalEnergyBurned", 0, 20_000],
    ["dietaryEnergy", 0, 20_000],
  ],
  min: [
    ["sleepAnalysis", 0, 1440],
    ["timeInBed", 0, 1440],
    ["awakeTime", 0, 1440],
    ["asleepTime", 0, 1440],
    ["coreSleepTime", 0, 1440],
    ["deepSleepTime", 0, 1440],
    ["remSleepTime", 0, 1440],
    ["mindfulMinutes", 0, 1440],
    ["exerciseTime", 0, 1440],
    ["appleMoveTime", 0, 1440],
    ["appleStandTime", 0, 1440],
    ["timeInDaylight", 0, 1440],
  ],
  ms: [
    ["heartRateVariability", 0, 1000],
    ["runningGroundContactTime", 0, 2000],
  ],
  mmHg: [
    ["bloodPressureSystolic", 50, 250],
    ["bloodPressureDiastolic", 30, 150],
  ],
  "mg/dL": [["bloodGlucose", 20, 600]],
  "°C": [
    ["bodyTemperature", 30, 45],
    ["basalBodyTemperature", 30, 45],
    ["appleSleepingWristTemperature", 15, 45],
    ["waterTemperature", -5, 60],
  ],
  "%": [
    ["oxygenSaturation", 0, 100],
    ["bodyFatPercentage", 0, 100],
    ["walkingAsymmetryPercentage", 0, 100],
    ["walkingDoubleSupportPercentage", 0, 100],
    ["appleWalkingSteadiness", 0, 100],
    ["atrialFibrillationBurden", 0, 100],
    ["bloodAlcoholContent", 0, 100],
    ["peripheralPerfusionIndex", 0, 100],
  ],
  "mL/kg/min": [["vo2Max", 10, 100]],
  kg: [
    ["bodyMass", 20, 500],
    ["leanBodyMass", 10, 300],
  ],
  "m/s": [
    ["walkingSpeed", 0, 15],
    ["runningSpeed", 0, 15],
    ["stairAscentSpeed", 0, 10],
    ["stairDescentSpeed", 0, 10],
    ["cyclingSpeed", 0, 50],
    ["swimmingSpeed", 0, 10],
    ["crossCountrySkiingSpeed", 0, 50],
    ["paddleSportsSpeed", 0, 30],
    ["rowingSpeed", 0, 30],
  ],
  W: [
    ["runningPower", 0, 3000],
    ["cyclingPower", 0, 3000],
    ["cyclingFunctionalThresholdPower", 0, 1000],
    ["swimmingPower", 0, 3000],
  ],
  dBASPL: [
    ["environmentalAudioExposure", 0, 200],
    ["headphoneAudioExposure", 0, 200],
    ["environmentalSoundReduction", 0, 100],
  ],
  IU: [["insulinDelivery", 0, 1000]],
  L: [
    ["forcedVitalCapacity", 0, 20],
    ["forcedExpiratoryVolume1", 0, 20],
  ],
  "L/min": [["peakExpiratoryFlowRate", 0, 2000]],
  "kcal/hr·kg": [["physicalEffort", 0, 100]],
  S: [["electrodermalActivity", 0, 1]],
  mL: [["dietaryWater", 0, 20_000]],
  g: nutrients(10_000, "Carbohydrates FatMonounsaturated FatPolyunsaturated FatSaturated FatTotal Fiber Protein Sugar"),
  mg: nutrients(
    200_000,
    "Caffeine Calcium Chloride Cholesterol Copper Iron Magnesium Manganese Niacin PantothenicAcid Phosphorus Potassium " +
      "Riboflavin Sodium Thiamin VitaminB6 VitaminC VitaminE Zinc",
  ),
  mcg: nutrients(1_000_000, "Biotin Chromium Folate Iodine Molybdenum Selenium VitaminA VitaminB12 VitaminD VitaminK"),
};

const MAY_BE_FRACTION: ReadonlySet<string> = new Set(["oxygenSaturation", "bodyFatPercentage"]);

function nutrients(max: number, names: string): readonly Row[] {
  return names.split(" ").map((name): Row => [`dietary${name}`, 0, max]);
}

function typesOf(unit: string, rows: readonly Row[]): HealthType[] {
  return rows.map(([name, min, max, also]) => ({
    name,
    unit,
    min,
    max,
    mayBeFraction: MAY_BE_FRACTION.has(name),
    conversions: conversionsTo(unit, also),
  }));
}

/** Every known type by its canonical name. */
export const HEALTH_TYPES: ReadonlyMap<string, HealthType> = new Map(
  Object.entries(BY_UNIT).flatMap(([unit, rows]) => typesOf(unit, rows).map((type) => [type.name, type] as const)),
);
