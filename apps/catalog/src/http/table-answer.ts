import type { FastifyReply, FastifyRequest } from "fastify";
import { referencedSnapshotsOnly, stringifyLakeJson, type TableMetadata } from "@firn/lake";
import { prefixesOf, type CredentialVendor, type StorageCredential } from "../credentials/credential-vendor.ts";
import type { StoredTable } from "../tables/table-catalog.ts";
import { fileAccessOf } from "./access.ts";
import { etagOf } from "./etag.ts";
import { loadResult } from "./json-answer.ts";

const DELEGATION_HEADER = "x-iceberg-access-delegation";
const VENDED = "vended-credentials";

/** Answers with a table, and with credentials for its files where the client asks for them. */
export class TableAnswers {
  readonly #vendor: CredentialVendor;

  constructor(vendor: CredentialVendor) {
    this.#vendor = vendor;
  }

  async send(
    request: FastifyRequest,
    reply: FastifyReply,
    stored: StoredTable,
    snapshots: "all" | "refs" = "all",
  ): Promise<void> {
    const { metadata, metadataLocation } = stored;
    const json = snapshots === "all" ? stored.json : stringifyLakeJson(referencedSnapshotsOnly(metadata));
    const credentials = await this.#wanted(request, metadata);
    void reply
      .code(200)
      .header("etag", etagOf(metadataLocation, snapshots))
      .type("application/json")
      .send(loadResult({ json, metadataLocation, ...credentials }));
  }

  /** A table that is only planned has no place and no tag. */
  async sendStaged(request: FastifyRequest, reply: FastifyReply, metadata: TableMetadata): Promise<void> {
    const credentials = await this.#wanted(request, metadata);
    const body = loadResult({ json: stringifyLakeJson(metadata), ...credentials });
    void reply.code(200).type("application/json").send(body);
  }

  credentials(request: FastifyRequest, metadata: TableMetadata): Promise<readonly StorageCredential[]> {
    return this.#vendor.vend(metadata, fileAccessOf(request));
  }

  async #wanted(request: FastifyRequest, metadata: TableMetadata) {
    const header = request.headers[DELEGATION_HEADER] ?? "";
    const wanted = String(header)
      .split(",")
      .some((mechanism) => mechanism.trim().toLowerCase() === VENDED);
    if (!wanted) return {};
    const storageCredentials = await this.credentials(request, metadata);
    const [own] = prefixesOf(metadata);
    // Older clients look into `config` only, and take it for the table's own folder.
    const config = storageCredentials.find((credential) => credential.prefix === own)?.config ?? {};
    return { config, storageCredentials };
  }
}
