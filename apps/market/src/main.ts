import { runService } from "@firn/service";
import { marketService } from "./market-service.ts";

await runService(marketService);
