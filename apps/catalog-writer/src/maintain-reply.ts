/**
 * Answers `catalog-writer.maintain` for `firn maintain`: `{"dataset", "run", "orphans", "statistics", "table", "limit_ms"}` →
 * `{"tables": [TableUpkeep…]}`, or `{"error"}` when the world does not let it.
 */
import { refuseNewer } from "@firn/core";
import { isLakeError } from "@firn/lake";
import { askUnit, type StreamConnection } from "@firn/stream";
import type { Maintenance } from "./maintenance.ts";
import type { MaintainOrder, TableUpkeep } from "./table-upkeep.ts";

const subject = "catalog-writer.maintain";
/** Who asked has a limit of his own. */
const unitMsMax = 6 * 3_600_000;

/** With `v`, the version of the request's shape; 1 where it is missing. */
interface MaintainRequest extends MaintainOrder {
  readonly dataset: string;
}

/**
 * Any writer takes a request: each unit of the dataset is asked where it is done.
 * @param units by dataset
 * @returns what ends it
 */
export function answerMaintain(
  connection: StreamConnection,
  units: ReadonlyMap<string, readonly string[]>,
): () => void {
  return connection.reply(subject, { queue: "catalog-writer" }, async (data) => {
    const { dataset, ...order } = parseRequest(data);
    const names = units.get(dataset);
    if (!names) throw new Error(`no dataset ${dataset}; there are: ${[...units.keys()].join(", ")}`);
    const tables: TableUpkeep[] = [];
    for (const name of names) {
      const asked = Buffer.from(JSON.stringify(order));
      const replied = await askUnit(connection, `${subject}.${name}`, asked, { timeoutMs: unitMsMax });
      const report = JSON.parse(Buffer.from(replied).toString("utf8")) as { tables: TableUpkeep[] } | { error: string };
      if ("error" in report) return answer(report);
      tables.push(...report.tables);
    }
    return answer({ tables });
  });
}

/** For a unit that this process does. Returns what ends it. */
export function answerUpkeep(
  connection: Pick<StreamConnection, "reply">,
  unit: string,
  maintenance: Pick<Maintenance, "maintain">,
): () => void {
  return connection.reply(`${subject}.${unit}`, { queue: "catalog-writer" }, async (data) => {
    try {
      const order = JSON.parse(Buffer.from(data).toString("utf8")) as MaintainOrder;
      return answer({ tables: await maintenance.maintain(order) });
    } catch (error) {
      if (!isLakeError(error)) throw error;
      return answer({ error: `${error.kind}: ${error.message}` });
    }
  });
}

/** @throws Error that the asker sees */
function parseRequest(data: Uint8Array): MaintainRequest {
  let request: Readonly<Record<string, unknown>> | null;
  try {
    request = JSON.parse(Buffer.from(data).toString("utf8")) as typeof request;
  } catch {
    throw new Error("the request is not JSON");
  }
  refuseNewer("the request of firn maintain", request?.v, 1);
  const { dataset, run = false, orphans = false, statistics = false, table, limit_ms: limitMs } = request ?? {};
  if (typeof dataset !== "string") throw new Error("dataset must be the name of a dataset");
  if (typeof run !== "boolean") throw new Error("run must be true or false");
  if (typeof orphans !== "boolean") throw new Error("orphans must be true or false");
  if (typeof statistics !== "boolean") throw new Error("statistics must be true or false");
  if (table !== undefined && typeof table !== "string") throw new Error("table must be the name of a table");
  if (limitMs !== undefined && !(typeof limitMs === "number" && limitMs >= 0))
    throw new Error("limit_ms must be a number of milliseconds");
  return { dataset, run, orphans, statistics, ...(table && { table }), ...(limitMs === undefined ? {} : { limitMs }) };
}

const answer = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));
