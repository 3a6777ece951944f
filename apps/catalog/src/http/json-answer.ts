import type { FastifyReply } from "fastify";
import { stringifyLakeJson } from "@firn/lake";

/** Sends JSON; bigints become integers. */
export function answerJson(reply: FastifyReply, body: unknown, status = 200): void {
  void reply.code(status).type("application/json").send(stringifyLakeJson(body));
}

export function answerEmpty(reply: FastifyReply, status = 204): void {
  void reply.code(status).send();
}

/** `LoadTableResult` or `LoadViewResult` around metadata that is JSON already. */
export function loadResult(stored: { readonly json: string; readonly metadataLocation?: string }): string {
  const location =
    stored.metadataLocation === undefined ? "" : `"metadata-location":${JSON.stringify(stored.metadataLocation)},`;
  return `{${location}"metadata":${stored.json},"config":{}}`;
}
