import type { FastifyReply, FastifyRequest } from "fastify";
import { isLakeError, objectAt, type TableMetadata, type ViewMetadata } from "@firn/lake";
import type { AppliedRequest } from "../database/request-rows.ts";
import type { EntryStore } from "../entry-store.ts";
import { answerEmpty, answerJson, loadResult } from "../http/json-answer.ts";
import { namespaceOf, tableOf } from "../http/request-path.ts";
import type { TableAnswers } from "../http/table-answer.ts";
import type { MetadataFiles } from "../metadata/metadata-files.ts";
import type { Located, StoredMetadata } from "../metadata/stored-metadata.ts";

interface Kind<M extends Located> {
  readonly entries: EntryStore<M>;
  readonly files: MetadataFiles<M>;
}

/** Answers a request that was applied before: as it was answered then, or, where that was a load, by what it made. */
export function replayer(tables: Kind<TableMetadata>, views: Kind<ViewMetadata>, answers: TableAnswers) {
  return async (request: FastifyRequest, reply: FastifyReply, applied: AppliedRequest): Promise<void> => {
    const { answer, location } = applied;
    if (answer !== undefined) {
      void reply.code(answer.status);
      if (answer.body !== "") void reply.type("application/json");
      void reply.send(answer.body === "" ? undefined : answer.body);
      return;
    }
    if (location === null) return answerChange(request, reply);
    const path = request.url.split("?", 1)[0] as string;
    if (/\/(register-view|views(\/[^/]*)?)$/.test(path)) {
      const { json, metadataLocation } = await made(views, location, request);
      void reply.code(200).type("application/json").send(loadResult({ json, metadataLocation }));
      return;
    }
    await answers.send(request, reply, await made(tables, location, request));
  };
}

/** The metadata that the request made; the newest where later commits have removed that file. */
async function made<M extends Located>(
  { entries, files }: Kind<M>,
  location: string,
  request: FastifyRequest,
): Promise<StoredMetadata<M>> {
  try {
    return await files.readPresent(location);
  } catch (error) {
    if (!isLakeError(error, "not_found")) throw error;
    return entries.load(identifierOf(request));
  }
}

function identifierOf(request: FastifyRequest) {
  const url = request.raw.url ?? "";
  const named = (request.body as { name?: unknown } | undefined)?.name;
  return typeof named === "string" ? { namespace: namespaceOf(url), name: named } : tableOf(url);
}

/** The process ended between a change of something else and its answer. */
function answerChange(request: FastifyRequest, reply: FastifyReply): void {
  const path = request.url.split("?", 1)[0] as string;
  const body = request.method === "POST" ? objectAt(request.body, "") : {};
  if (path.endsWith("/namespaces")) {
    answerJson(reply, { namespace: body["namespace"], properties: body["properties"] ?? {} });
  } else if (path.endsWith("/properties")) {
    const updated = Object.keys((body["updates"] as object | undefined) ?? {});
    answerJson(reply, { updated, removed: body["removals"] ?? [], missing: [] });
  } else answerEmpty(reply);
}
