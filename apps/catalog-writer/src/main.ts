import { runService } from "@firn/service";
import { writerService } from "./writer-service.ts";

await runService(writerService);
