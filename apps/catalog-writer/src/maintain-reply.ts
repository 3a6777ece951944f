/**
 * Answers `catalog-writer.maintain` for `firn maintain`: `{"dataset", "run", "orphans", "statistics", "table", "limit_ms"}` →
 * `{"tables": [TableUpkeep…]}`, or `{"error"}` when the world does not let it.
 */
import { refuseNewer } from "@firn/core";
import { isLakeError } from "@firn/lake";
import type { StreamConnection } from "@firn/stream";
import type { Maintenance } from "./maintenance.ts";
import type { MaintainOrder } from "./table-upkeep.ts";

const subject = "catalog-writer.maintain";

/** With `v`, the version of the request's shape; 1 where it is missing. */
interface MaintainRequest extends MaintainOrder {
  readonly dataset: string;
}

/** @returns what ends it */
export function answerMaintain(
  connection: Pick<StreamConnection, "reply">,
  maintenances: ReadonlyMap<string, Pick<Maintenance, "maintain">>,
): () => void {
  return connection.reply(subject, { queue: "catalog-writer" }, async (data) => {
    const { dataset, ...order } = parseRequest(data);
    const maintenance = maintenances.get(dataset);
    if (!maintenance) throw new Error(`no dataset ${dataset}; there are: ${[...maintenances.keys()].join(", ")}`);
    try {
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
