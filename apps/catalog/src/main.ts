import { runService } from "@firn/service";
import { catalogService } from "./catalog-service.ts";

await runService(catalogService);
