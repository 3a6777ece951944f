// What `npm start -- …` takes. Plain JavaScript without imports from node_modules: tools/start.mjs reads the arguments
// with it before anything is installed, apps/standalone when it runs.
import { resolve } from "node:path";
import { parseArgs } from "node:util";

export const PROCESS_NAMES = [
  "nats",
  "database",
  "catalog",
  "catalog-writer",
  "validator",
  "aggregator",
  "query",
  "ingest",
  "market",
];

const HELP = `npm start -- [options]

Starts the whole lake on this machine: a NATS server, PostgreSQL for the small relations, the
Iceberg catalog, ingest, validator, catalog-writer, aggregator, query and market, each a process
of its own that is brought back when it ends. Creates the tables, loads the samples in samples/,
prints a report and the addresses, and stays until Ctrl-C, which drains and exits 0.

Options
  --once             end after the report
  --no-sample        do not load the sample
  --data-dir DIR     everything it keeps lies there (FIRN_DATA_DIR; default .firn)
  --ports auto       take free ports instead of the default ones
  --only A,B         run only these processes; the addresses of the others come from NATS_URL,
                     ICEBERG_CATALOG_URI and DATABASE_URL. Names:
                     ${PROCESS_NAMES.join(", ")}
  --help             this text

Environment
  FIRN_DATA_DIR            string  default .firn      folder of everything that is kept
  FIRN_HOST                string  default 127.0.0.1  address that every server binds
  FIRN_INGEST_PORT         int     default 4100       ingest
  FIRN_QUERY_PORT          int     default 4200       query
  FIRN_VALIDATOR_PORT      int     default 4301       health and metrics of validator
  FIRN_AGGREGATOR_PORT     int     default 4302       health and metrics of aggregator
  FIRN_CATALOG_WRITER_PORT int     default 4303       health and metrics of catalog-writer
  FIRN_CATALOG_PORT        int     default 8181       Iceberg REST catalog
  FIRN_NATS_PORT           int     default 4222       NATS
  FIRN_NATS_MONITOR_PORT   int     default 8222       monitoring of NATS
  FIRN_MARKET_PORT         int     default 4304       health and metrics of market
  FIRN_DATABASE_PORT       int     default 5442       PostgreSQL
  DATABASE_URL             string  default own server  an existing PostgreSQL instead
  ICEBERG_WAREHOUSE        string  default DIR/warehouse  folder or s3://bucket/path of the tables; with s3://
                                   S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY, AWS_REGION … as for the services
  ICEBERG_CATALOG_URI      url     default our own    another Iceberg REST catalog; then none is started here
  NATS_SERVER_BIN          path    default found or fetched  nats-server 2.15.0 or newer
  ICEBERG_DATABASE         string  default health_db  namespace of the health tables
  ICEBERG_TABLE_RAW        string  default health_data_raw     its raw table
  ICEBERG_TABLE_ERRORS     string  default health_data_errors  its table of dead letters
  FIRN_DEFAULT_TIMEZONE    string  default UTC        zone of samples that name none
  Every other variable goes to the services as it is: node apps/NAME/dist/main.js --help lists them.

Examples
  npm start
  S3_ENDPOINT=http://127.0.0.1:8333 S3_ACCESS_KEY=… S3_SECRET_KEY=… ICEBERG_WAREHOUSE=s3://lake/w npm start -- --once
  npm start -- --once --data-dir /tmp/lake --ports auto
  NATS_URL=nats://10.0.0.5:4222 ICEBERG_CATALOG_URI=http://10.0.0.5:8181 npm start -- --only ingest,validator

Exit codes: 0 done, 1 it could not start (or runs already), 2 wrong usage or a wrong variable.
`;

/**
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @returns {import("./start-arguments.d.mts").ParsedStart}
 */
export function parseStartArguments(args, environment) {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        once: { type: "boolean" },
        "no-sample": { type: "boolean" },
        "data-dir": { type: "string" },
        ports: { type: "string" },
        only: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }));
  } catch (error) {
    return usage(error.message);
  }
  if (values.help) return { kind: "end", exitCode: 0, text: HELP };
  if (values.ports !== undefined && values.ports !== "auto")
    return usage(`--ports takes "auto", not "${values.ports}"`);
  if (values["data-dir"] === "") return usage("--data-dir needs a folder");
  const only = values.only === undefined ? processesOf(environment) : values.only.split(",").map((name) => name.trim());
  const unknown = only.find((name) => !PROCESS_NAMES.includes(name));
  if (unknown !== undefined) return usage(`--only: no process "${unknown}"; there are ${PROCESS_NAMES.join(", ")}`);
  const missing = missingAddress(only, environment);
  if (missing !== undefined) return usage(missing);
  return {
    kind: "start",
    options: {
      once: values.once === true,
      sample: values["no-sample"] !== true,
      dataDir: resolve(values["data-dir"] ?? (environment.FIRN_DATA_DIR || ".firn")),
      autoPorts: values.ports === "auto",
      only: PROCESS_NAMES.filter((name) => only.includes(name)),
    },
  };
}

/** Another catalog takes the place of ours. */
function processesOf(environment) {
  return PROCESS_NAMES.filter((name) => name !== "catalog" || !environment.ICEBERG_CATALOG_URI);
}

function missingAddress(only, environment) {
  if (!only.includes("nats") && only.some((name) => name !== "catalog") && !environment.NATS_URL) {
    return "--only without nats needs NATS_URL, the address of the NATS server to work with";
  }
  const ofTables = only.some((name) => ["catalog-writer", "aggregator", "query"].includes(name));
  if (!only.includes("catalog") && ofTables && !environment.ICEBERG_CATALOG_URI) {
    return "--only without catalog needs ICEBERG_CATALOG_URI, the address of the Iceberg REST catalog to work with";
  }
  return undefined;
}

function usage(message) {
  return { kind: "end", exitCode: 2, text: `npm start: ${message}\nTry npm start -- --help\n` };
}
