#!/usr/bin/env node
// `npx firn …` in a bare clone: sets up what is missing, then runs the operator's command. No dependencies.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { bootstrap } from "./tools/bootstrap.mjs";

bootstrap(["cli"]);
await import(pathToFileURL(join(import.meta.dirname, "apps", "cli", "dist", "main.js")).href);
