import type { FastifyReply } from "fastify";
import { stringifyLakeJson } from "@firn/lake";

/** Sends JSON; bigints become integers. */
export function answerJson(reply: FastifyReply, body: unknown, status = 200): void {
  void reply.code(status).type("application/json").send(stringifyLakeJson(body));
}

export function answerEmpty(reply: FastifyReply, status = 204): void {
  void reply.code(status).send();
}

export interface LoadedEntry {
  readonly json: string;
  readonly metadataLocation?: string;
  readonly config?: Readonly<Record<string, string>>;
  readonly storageCredentials?: readonly unknown[];
}

/** `LoadTableResult` or `LoadViewResult` around metadata that is JSON already. */
export function loadResult({ json, metadataLocation, config, storageCredentials }: LoadedEntry): string {
  const location = metadataLocation === undefined ? "" : `"metadata-location":${JSON.stringify(metadataLocation)},`;
  const vended =
    storageCredentials === undefined || storageCredentials.length === 0
      ? ""
      : `,"storage-credentials":${JSON.stringify(storageCredentials)}`;
  return `{${location}"metadata":${json},"config":${JSON.stringify(config ?? {})}${vended}}`;
}
