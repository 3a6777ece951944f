import { startService, type RunningService } from "@firn/service";
import { tempFolder } from "@firn/testing";
import { catalogService } from "../src/catalog-service.ts";

export interface RunningCatalog {
  readonly url: string;
  /** Absolute path of the warehouse folder. */
  readonly warehouse: string;
  readonly folder: string;
  /** Ends the service and starts it again on the same files. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** The catalog service inside this process, on a free port and an empty folder. */
export async function startCatalog(environment: Readonly<Record<string, string>> = {}): Promise<RunningCatalog> {
  const folder = await tempFolder("catalog");
  const warehouse = `${folder.path}/warehouse`;
  const start = (): Promise<RunningService> =>
    startService(catalogService, {
      FIRN_PORT: "0",
      FIRN_LOG_LEVEL: "silent",
      FIRN_DATA_DIR: folder.path,
      ICEBERG_WAREHOUSE: warehouse,
      ...environment,
    });
  let service = await start();
  return {
    get url() {
      return service.url;
    },
    warehouse,
    folder: folder.path,
    restart: async () => {
      await service.close();
      service = await start();
    },
    close: async () => {
      await service.close();
      await folder.remove();
    },
  };
}
