import type { FastifyRequest } from "fastify";
import type { TokenScope } from "@firn/service";
import type { FileAccess } from "../credentials/credential-vendor.ts";

/** Reports of engines change nothing, though they are posted. */
const REPORTS = /\/metrics$/;

/** What a token must allow for a request. */
export function scopesOf(request: FastifyRequest): readonly TokenScope[] {
  const path = request.url.split("?", 1)[0] as string;
  const reads = request.method === "GET" || request.method === "HEAD" || REPORTS.test(path);
  return reads ? ["catalog", "catalog_read"] : ["catalog"];
}

/** What the asker may do with files; everything where nothing is guarded. */
export function fileAccessOf(request: FastifyRequest): FileAccess {
  const scopes = request.token?.scopes;
  return scopes === undefined || scopes.includes("catalog") || scopes.includes("admin") ? "write" : "read";
}
