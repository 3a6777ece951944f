import { describe, expect, it } from "vitest";

import { canonicalHealthType, findHealthType, healthUnit } from "./aliases.ts";
import { HEALTH_TYPES } from "./quantity-types.ts";
import { conversionsTo } from "./units.ts";

describe("health types", () => {
  it.each([
    ["heartRate", 30, 250, "count/min"],
    ["restingHeartRate", 20, 250, "count/min"],
    ["stepCount", 0, 100_000, "count"],
    ["distanceWalkingRunning", 0, 100_000, "m"],
    ["activeEnergyBurned", 0, 10_000, "kcal"],
    ["basalEnergyBurned", 0, 5000, "kcal"],
    ["bloodPressureSystolic", 50, 250, "mmHg"],
    ["bloodPressureDiastolic", 30, 150, "mmHg"],
    ["bloodGlucose", 20, 600, "mg/dL"],
    ["bodyTemperature", 30, 45, "°C"],
    ["oxygenSaturation", 0, 100, "%"],
    ["respiratoryRate", 5, 60, "count/min"],
    ["vo2Max", 10, 100, "mL/kg/min"],
    ["bodyMass", 20, 500, "kg"],
    ["leanBodyMass", 10, 300, "kg"],
    ["height", 50, 300, "cm"],
    ["waistCircumference", 30, 300, "cm"],
    ["bodyMassIndex", 10, 100, "count"],
    ["bodyFatPercentage", 0, 100, "%"],
    ["sleepAnalysis", 0, 1440, "min"],
    ["timeInBed", 0, 1440, "min"],
    ["mindfulMinutes", 0, 1440, "min"],
  ])("%s is %d–%d %s", (name, min, max, unit) => {
    expect(HEALTH_TYPES.get(name)).toMatchObject({ name, min, max, unit });
  });

  /** Quantity types of HealthKit that Apple Health exports hold, as their identifiers name them. */
  const APPLE = `ActiveEnergyBurned AppleExerciseTime AppleMoveTime AppleSleepingWristTemperature AppleStandTime
    AppleWalkingSteadiness AtrialFibrillationBurden BasalBodyTemperature BasalEnergyBurned BloodAlcoholContent
    BloodGlucose BloodPressureDiastolic BloodPressureSystolic BodyFatPercentage BodyMass BodyMassIndex BodyTemperature
    CyclingCadence CyclingFunctionalThresholdPower CyclingPower CyclingSpeed DietaryBiotin DietaryCaffeine
    DietaryCalcium DietaryCarbohydrates DietaryChloride DietaryCholesterol DietaryChromium DietaryCopper
    DietaryEnergyConsumed DietaryFatMonounsaturated DietaryFatPolyunsaturated DietaryFatSaturated DietaryFatTotal
    DietaryFiber DietaryFolate DietaryIodine DietaryIron DietaryMagnesium DietaryManganese DietaryMolybdenum
    DietaryNiacin DietaryPantothenicAcid DietaryPhosphorus DietaryPotassium DietaryProtein DietaryRiboflavin
    DietarySelenium DietarySodium DietarySugar DietaryThiamin DietaryVitaminA DietaryVitaminB12 DietaryVitaminB6
    DietaryVitaminC DietaryVitaminD DietaryVitaminE DietaryVitaminK DietaryWater DietaryZinc DistanceCycling
    DistanceDownhillSnowSports DistanceSwimming DistanceWalkingRunning DistanceWheelchair ElectrodermalActivity
    EnvironmentalAudioExposure EnvironmentalSoundReduction FlightsClimbed ForcedExpiratoryVolume1 ForcedVitalCapacity
    HeadphoneAudioExposure HeartRate HeartRateRecoveryOneMinute HeartRateVariabilitySDNN Height InhalerUsage
    InsulinDelivery LeanBodyMass NikeFuel NumberOfAlcoholicBeverages NumberOfTimesFallen OxygenSaturation
    PeakExpiratoryFlowRate PeripheralPerfusionIndex PhysicalEffort PushCount RespiratoryRate RestingHeartRate
    RunningGroundContactTime RunningPower RunningSpeed RunningStrideLength RunningVerticalOscillation
    SixMinuteWalkTestDistance StairAscentSpeed StairDescentSpeed StepCount SwimmingStrokeCount TimeInDaylight
    UnderwaterDepth UVExposure VO2Max WaistCircumference WalkingAsymmetryPercentage WalkingDoubleSupportPercentage
    WalkingHeartRateAverage WalkingSpeed WalkingStepLength WaterTemperature`.split(/\s+/);

  it("hold every quantity type of Apple Health exports", () => {
    expect(APPLE.filter((name) => findHealthType(`HKQuantityTypeIdentifier${name}`) === undefined)).toEqual([]);
  });

  it("are found by every name, and unknown names stay what they are", () => {
    expect(canonicalHealthType("steps")).toBe("stepCount");
    expect(canonicalHealthType("HKQuantityTypeIdentifierNewThing")).toBe("newThing");
    expect(canonicalHealthType("HKQuantityTypeIdentifier")).toBe("HKQuantityTypeIdentifier");
    expect(canonicalHealthType("unicorns")).toBe("unicorns");
    expect(healthUnit("HKQuantityTypeIdentifierBodyMass")).toBe("kg");
    expect([healthUnit("unicorns"), healthUnit("constructor")]).toEqual([undefined, undefined]);
  });

  it("convert every unit of their quantity there and back", () => {
    for (const { unit, conversions } of HEALTH_TYPES.values()) {
      expect(conversions.get(unit)?.identity).toBe(true);
      for (const conversion of conversions.values()) {
        const toUnit = (value: number): number => ((value + conversion.add) * conversion.mul) / conversion.div;
        const back = (toUnit(123.5) * conversion.div) / conversion.mul - conversion.add;
        expect(back).toBeCloseTo(123.5, 8);
      }
    }
    expect(() => conversionsTo("parsec")).toThrow(/no quantity/);
    expect(() => conversionsTo("°F")).toThrow(/no quantity/);
  });

  it("have ranges that hold something", () => {
    for (const { min, max } of HEALTH_TYPES.values()) expect(min).toBeLessThan(max);
  });
});
