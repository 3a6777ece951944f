import { runService } from "@firn/service";
import { ingestService } from "./ingest-service.ts";

await runService(ingestService);
