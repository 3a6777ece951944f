/**
 * Units by quantity and how they convert. A unit's `toBase` is exact where its definition is: a value in it becomes
 * `((value + add) * mul) / div` in the quantity's base unit.
 */
interface ToBase {
  readonly add: number;
  readonly mul: number;
  readonly div: number;
}

const ratio = (mul: number, div = 1): ToBase => ({ add: 0, mul, div });
const BASE = ratio(1);

/** The international pound in 10⁻⁸ kg; ounce and stone follow from it. */
const POUND = 45_359_237;
const PER_KG = 100_000_000;
/** Pascals in a conventional millimetre of mercury. */
const MMHG_PASCAL = 133.322387415;
/** Milligrams per decilitre in a millimole of glucose per litre. */
const GLUCOSE_MG_DL = 18.0156;

const QUANTITIES: readonly Readonly<Record<string, ToBase>>[] = [
  { count: BASE },
  { "count/min": BASE, "count/s": ratio(60) },
  {
    m: BASE,
    km: ratio(1000),
    cm: ratio(1, 100),
    mm: ratio(1, 1000),
    in: ratio(254, 10_000),
    ft: ratio(3048, 10_000),
    yd: ratio(9144, 10_000),
    mi: ratio(1_609_344, 1000),
  },
  {
    kg: BASE,
    g: ratio(1, 1000),
    mg: ratio(1, 1_000_000),
    mcg: ratio(1, 1_000_000_000),
    lb: ratio(POUND, PER_KG),
    oz: ratio(POUND, 16 * PER_KG),
    st: ratio(14 * POUND, PER_KG),
  },
  { kcal: BASE, cal: ratio(1, 1000), kJ: ratio(1000, 4184), J: ratio(1, 4184) },
  { min: BASE, ms: ratio(1, 60_000), s: ratio(1, 60), hr: ratio(60), d: ratio(1440) },
  { mmHg: BASE, kPa: ratio(1000, MMHG_PASCAL) },
  { "°C": BASE, "°F": { add: -32, mul: 5, div: 9 }, K: { add: -273.15, mul: 1, div: 1 } },
  { "%": BASE, fraction: ratio(100) },
  { "mg/dL": BASE, "mmol/L": ratio(GLUCOSE_MG_DL) },
  { "mL/kg/min": BASE },
  { "m/s": BASE, "km/hr": ratio(1000, 3600), "mi/hr": ratio(44_704, 100_000), "ft/s": ratio(3048, 10_000) },
  { W: BASE, kW: ratio(1000) },
  { dBASPL: BASE },
  { IU: BASE },
  { mL: BASE, L: ratio(1000), dL: ratio(100), fl_oz_us: ratio(29.5735295625), cup_us: ratio(236.5882365) },
  { "L/min": BASE, "L/s": ratio(60), "mL/s": ratio(60, 1000) },
  { "kcal/hr·kg": BASE },
  { S: BASE, mcS: ratio(1, 1_000_000) },
];

/** Other spellings of a unit, exactly as clients write them; calories in small letters mean either, so they are none. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  count: ["counts", "step", "steps", "floor", "floors", "flights", "times", "events"],
  "count/min": [
    ..."bpm BPM beats/min beats/minute count/minute counts/min breaths/min breaths/minute brpm rpm RPM /min 1/min spm".split(
      " ",
    ),
    ...["steps/min", "beats per minute"],
  ],
  "count/s": ["Hz", "1/s"],
  m: ["meter", "meters", "metre", "metres"],
  km: ["kilometer", "kilometers", "kilometre", "kilometres"],
  cm: ["centimeter", "centimeters", "centimetre", "centimetres"],
  mm: ["millimeter", "millimeters", "millimetre", "millimetres"],
  in: ["inch", "inches"],
  ft: ["foot", "feet"],
  yd: ["yard", "yards"],
  mi: ["mile", "miles"],
  kg: ["kgs", "kilogram", "kilograms"],
  g: ["gram", "grams"],
  mg: ["milligram", "milligrams"],
  mcg: ["µg", "μg", "ug", "microgram", "micrograms"],
  lb: ["lbs", "pound", "pounds"],
  oz: ["ounce", "ounces"],
  st: ["stone", "stones"],
  kcal: ["Cal", "Kcal", "kCal", "KCAL", "Calories", "kilocalorie", "kilocalories"],
  kJ: ["kj", "KJ", "kilojoule", "kilojoules"],
  min: ["mins", "minute", "minutes"],
  ms: ["millisecond", "milliseconds", "msec"],
  s: ["sec", "secs", "second", "seconds"],
  hr: ["h", "hrs", "hour", "hours"],
  d: ["day", "days"],
  mmHg: ["mm Hg", "mmhg", "mm[Hg]"],
  "°C": ["degC", "℃", "C", "celsius", "Celsius"],
  "°F": ["degF", "℉", "F", "fahrenheit", "Fahrenheit"],
  K: ["kelvin", "Kelvin"],
  "%": ["percent", "pct"],
  "mg/dL": ["mg/dl"],
  "mmol/L": ["mmol/l", "mmol<180.1558800000541>/L", "mmol<180.15588000005408>/L"],
  "mL/kg/min": [
    ..."ml/kg/min mL/min·kg ml/min·kg mL/kg·min ml/kg·min mL/(kg·min) ml/(kg·min) mL/(min·kg) mL/min/kg ml/min/kg".split(
      " ",
    ),
  ],
  "m/s": ["mps"],
  "km/hr": ["km/h", "kph", "kmh"],
  "mi/hr": ["mi/h", "mph"],
  W: ["watt", "watts"],
  dBASPL: ["dB", "dBA", "dB(A)"],
  IU: ["iu", "U", "unit", "units"],
  mL: ["ml", "milliliter", "milliliters", "millilitre", "millilitres"],
  L: ["l", "liter", "liters", "litre", "litres"],
  "kcal/hr·kg": ["kcal/(hr·kg)", "kcal/(kg·hr)", "kcal/kg·hr", "kcal/kg/hr", "kcal/kg/h", "MET", "METs", "met"],
};

/** From a spelling of a unit to the unit that a type is stored in: `((value + add) * mul) / div`. */
export interface Conversion {
  /** The unit as its quantity names it, whatever the spelling. */
  readonly from: string;
  readonly identity: boolean;
  readonly add: number;
  readonly mul: number;
  readonly div: number;
}

/**
 * Every accepted spelling of every unit that converts to `unit`. Units of `also` are other names of `unit` itself.
 * `unit` must be a base unit or a multiple of one (no offset).
 */
export function conversionsTo(unit: string, also: readonly string[] = []): ReadonlyMap<string, Conversion> {
  const quantity = QUANTITIES.find((units) => unit in units);
  const target = quantity?.[unit];
  if (quantity === undefined || target === undefined || target.add !== 0)
    throw new Error(`no quantity has unit ${unit}`);
  const conversions = new Map<string, Conversion>();
  for (const [from, source] of Object.entries(quantity)) {
    const identity = from === unit;
    const scale = identity ? 1 : commonDivisor(source.mul * target.div, source.div * target.mul);
    const conversion: Conversion = {
      from,
      identity,
      add: source.add,
      mul: (source.mul * target.div) / scale,
      div: (source.div * target.mul) / scale,
    };
    for (const spelling of [from, ...(SPELLINGS[from] ?? [])]) conversions.set(spelling, conversion);
  }
  for (const spelling of also) conversions.set(spelling, conversions.get(unit)!);
  return conversions;
}

/** 1 where one of the numbers is not whole. */
function commonDivisor(a: number, b: number): number {
  if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) return 1;
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** A spelling with the signs that clients mix up (⋅ ∙ * for ·) made one. */
export function normalizeUnit(unit: string): string {
  return unit.replace(/[⋅∙*]/g, "·");
}
