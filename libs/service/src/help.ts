import { commonSettings } from "./common-settings.ts";
import type { ServiceDefinition } from "./service.ts";
import type { Setting } from "./settings.ts";

/** The text of `--help`: every variable, one a line, with type, default and a sentence. */
export function formatHelp<S>(service: Omit<ServiceDefinition<S>, "setup">): string {
  const settings = [...service.settings.settings, ...commonSettings(service.port).settings];
  const rows = settings.map((setting) => [setting.env, setting.type, stateDefault(setting), setting.help]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`);
  return [
    `firn ${service.name}: ${service.summary}`,
    "",
    "Usage: node dist/main.js [--help | --version | --setup]",
    "--setup makes the streams and tables that are missing and ends.",
    "",
    "Environment (NAME_FILE names a file with the value of NAME):",
    ...lines,
    "",
  ].join("\n");
}

function stateDefault(setting: Setting): string {
  if (setting.required) return "required";
  if (setting.default === undefined) return "optional";
  return setting.secret ? "default (hidden)" : `default ${String(setting.default)}`;
}
