import { runService } from "@firn/service";
import { aggregatorService } from "./aggregator-service.ts";

await runService(aggregatorService);
