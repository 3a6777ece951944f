/**
 * Local dates of rows that another engine wrote without one, by the dataset's rule and the one time-zone database that
 * the validator has too.
 */
import { columnTypeOf, type Dataset, eventZone, findZone, type TableDefinition, type ZoneColumns } from "@firn/core";
import { type KernelConnection, sqlName, sqlString } from "@firn/lake";

/** How a table's local dates follow from its rows. */
export interface LocalDateRule {
  readonly localDate: string;
  /** An instant. */
  readonly eventTime: string;
  readonly zone: ZoneColumns;
  readonly defaultZone: string;
}

/** undefined where every row has its date: it is the event itself, or required. */
export function localDateRule(
  { eventTime, raw, time }: Pick<Dataset, "raw" | "time" | "eventTime">,
  table: TableDefinition,
  defaultZone: string,
): LocalDateRule | undefined {
  if (table !== raw || time.localDate === eventTime || columnTypeOf(raw, eventTime) !== "timestamptz") return undefined;
  return { localDate: time.localDate, eventTime, zone: time.zone ?? {}, defaultZone };
}

/** Columns that the rule reads. */
export function localDateColumns({ localDate, eventTime, zone }: LocalDateRule): string[] {
  return [localDate, eventTime, zone.measured?.map, zone.name, zone.offsetMinutes].filter((name) => name !== undefined);
}

const dayUs = 86_400_000_000;
const valuesPerInsert = 5_000;

interface ZonedInstant {
  readonly us: number | bigint;
  readonly measured: string | null;
  readonly name: string | null;
  readonly minutes: number | null;
}

/**
 * Makes a temporary table (row, day) of the rows of `relation` without a date: their number and their date, in days
 * since the epoch.
 * @param row the column of `relation` that numbers its rows
 */
export async function missingLocalDates(
  connection: KernelConnection,
  rule: LocalDateRule,
  relation: string,
  row: string,
  into: string,
): Promise<void> {
  const { measured, name, offsetMinutes } = rule.zone;
  const parts = [
    `epoch_us(${sqlName(rule.eventTime)}) AS us`,
    `${measured ? `${sqlName(measured.map)}[${sqlString(measured.key)}]` : "NULL::VARCHAR"} AS measured`,
    `${name === undefined ? "NULL::VARCHAR" : sqlName(name)} AS name`,
    `${offsetMinutes === undefined ? "NULL::INTEGER" : sqlName(offsetMinutes)} AS minutes`,
  ];
  const missing = `SELECT ${row} AS row, ${parts.join(", ")} FROM ${relation} WHERE ${sqlName(rule.localDate)} IS NULL`;
  const instants = `${into}_instants`;
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${instants} (us BIGINT, measured VARCHAR, name VARCHAR, minutes INTEGER, day INTEGER)`,
  );
  const found = await connection.rows<ZonedInstant>(`SELECT DISTINCT us, measured, name, minutes FROM (${missing})`);
  for (let start = 0; start < found.length; start += valuesPerInsert) {
    const values = found.slice(start, start + valuesPerInsert).map((one) => valuesOf(one, rule.defaultZone));
    await connection.run(`INSERT INTO ${instants} VALUES ${values.join(", ")}`);
  }
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${into} AS SELECT m.row, i.day FROM (${missing}) AS m JOIN ${instants} AS i
     ON i.us = m.us AND i.measured IS NOT DISTINCT FROM m.measured AND i.name IS NOT DISTINCT FROM m.name
       AND i.minutes IS NOT DISTINCT FROM m.minutes;
     DROP TABLE ${instants}`,
  );
}

function valuesOf({ us, measured, name, minutes }: ZonedInstant, defaultZone: string): string {
  const text = (value: string | null) => (value === null ? "NULL" : sqlString(value));
  const zoneOf = (of: string | null) => (of === null ? undefined : findZone(of));
  const parts = { measured: zoneOf(measured), named: zoneOf(name), offsetMinutes: minutes };
  const zone = eventZone(parts, findZone(defaultZone)!);
  return `(${us}, ${text(measured)}, ${text(name)}, ${minutes ?? "NULL"}, ${dayIn(zone, Number(us))})`;
}

/** Beyond the years that the time-zone database has, the day in UTC. */
function dayIn(zone: { localDateAt(us: number): number }, us: number): number {
  try {
    return zone.localDateAt(us);
  } catch (error) {
    if (error instanceof RangeError) return Math.floor(us / dayUs);
    throw error;
  }
}
