import { runService } from "@firn/service";

import { validatorService } from "./validator-service.ts";

await runService(validatorService);
