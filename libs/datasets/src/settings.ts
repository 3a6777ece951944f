import type { DatasetOptions } from "./registry.ts";

/** A variable of the environment by which a site names things: in the shape that `defineSettings` of services takes. */
interface NameSetting {
  readonly env: string;
  readonly type: "string";
  readonly default: string;
  readonly help: string;
  readonly check: (text: string) => string | undefined;
}

/** Names of namespaces and tables. Every part of a lake must have the same. */
export const datasetSettings = {
  healthNamespace: {
    env: "ICEBERG_DATABASE",
    type: "string",
    default: "health_db",
    help: "Namespace of the health tables; a dot parts its levels.",
    check: (text) => checkNames(text.split("."), LEVELS_RULE),
  },
  healthRawTable: {
    env: "ICEBERG_TABLE_RAW",
    type: "string",
    default: "health_data_raw",
    help: "Name of the health lake's raw table.",
    check: (text) => checkNames([text], NAME_RULE),
  },
  healthErrorsTable: {
    env: "ICEBERG_TABLE_ERRORS",
    type: "string",
    default: "health_data_errors",
    help: "Name of the health lake's table of dead letters.",
    check: (text) => checkNames([text], NAME_RULE),
  },
  salesNamespace: {
    env: "FIRN_SALES_DATABASE",
    type: "string",
    default: "sales",
    help: "Namespace of the sales tables; a dot parts its levels.",
    check: (text) => checkNames(text.split("."), LEVELS_RULE),
  },
  salesRawTable: {
    env: "FIRN_SALES_TABLE_RAW",
    type: "string",
    default: "sales_transactions_raw",
    help: "Name of the sales lake's table of transactions.",
    check: (text) => checkNames([text], NAME_RULE),
  },
  salesSummaryTable: {
    env: "FIRN_SALES_TABLE_SUMMARY",
    type: "string",
    default: "sales_daily_summary",
    help: "Name of the sales lake's daily summary.",
    check: (text) => checkNames([text], NAME_RULE),
  },
} as const satisfies Record<string, NameSetting>;

/** Values of the settings above by their keys. */
export type DatasetSettings = { readonly [K in keyof typeof datasetSettings]: string };

/**
 * The settings of an environment, where no service reads them; an empty variable counts as absent.
 * @throws RangeError that names the variable and the rule
 */
export function readDatasetSettings(environment: Readonly<Record<string, string | undefined>>): DatasetSettings {
  const read = ({ env, default: usual, check }: NameSetting): string => {
    const name = environment[env] || usual;
    const rule = check(name);
    if (rule !== undefined) throw new RangeError(`${env} ${rule}`);
    return name;
  };
  const values = Object.entries(datasetSettings).map(([key, setting]) => [key, read(setting)]);
  return Object.fromEntries(values) as unknown as DatasetSettings;
}

/** What `createDatasets` takes for these names; what it has in `extra` of a dataset stays. */
export function datasetOptions(settings: DatasetSettings, extra: DatasetOptions = {}): DatasetOptions {
  return {
    ...extra,
    health: {
      ...extra.health,
      namespace: settings.healthNamespace,
      rawTable: settings.healthRawTable,
      errorsTable: settings.healthErrorsTable,
    },
    sales: {
      ...extra.sales,
      namespace: settings.salesNamespace,
      rawTable: settings.salesRawTable,
      summaryTable: settings.salesSummaryTable,
    },
  };
}

/** Names stand in subjects of streams, locations of files and SQL. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/;
const LEVELS_RULE = "must be names of letters, digits, _ and -, with dots between levels";
const NAME_RULE = "must be a name of letters, digits, _ and -";

function checkNames(names: readonly string[], rule: string): string | undefined {
  return names.every((name) => NAME.test(name)) ? undefined : rule;
}
