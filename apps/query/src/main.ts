import { runService } from "@firn/service";
import { queryService } from "./query-service.ts";

await runService(queryService);
