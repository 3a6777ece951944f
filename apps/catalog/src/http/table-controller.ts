import { Controller, Delete, Get, Head, Inject, Post, Query, Req, Res } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { objectAt, shapeError, tableCommitAt, type TableMetadata } from "@firn/lake";
import type { ReportCounter } from "./report-counter.ts";
import type { TableAnswers } from "./table-answer.ts";
import type { EntryStore } from "../entry-store.ts";
import type { TableCatalog } from "../tables/table-catalog.ts";
import type { TablePurge } from "../tables/table-purge.ts";
import { etagOf, matchesEtag } from "./etag.ts";
import { answerEmpty, answerJson } from "./json-answer.ts";
import { answerIdentifiers } from "./page.ts";
import { namespaceOf, tableOf } from "./request-path.ts";
import { createTableAt, registerTableAt, renameAt, transactionAt } from "./table-requests.ts";

export const TABLES = Symbol("tables");
export const TABLE_ENTRIES = Symbol("table entries");
export const PURGE = Symbol("purge");
export const ANSWERS = Symbol("table answers");
export const REPORTS = Symbol("report counter");

type Parameters = Record<string, string | undefined>;

@Controller("v1")
export class TableController {
  readonly #tables: TableCatalog;
  readonly #entries: EntryStore<TableMetadata>;
  readonly #purge: TablePurge;
  readonly #answers: TableAnswers;
  readonly #reports: ReportCounter;

  constructor(
    @Inject(TABLES) tables: TableCatalog,
    @Inject(TABLE_ENTRIES) entries: EntryStore<TableMetadata>,
    @Inject(PURGE) purge: TablePurge,
    @Inject(ANSWERS) answers: TableAnswers,
    @Inject(REPORTS) reports: ReportCounter,
  ) {
    this.#tables = tables;
    this.#entries = entries;
    this.#purge = purge;
    this.#answers = answers;
    this.#reports = reports;
  }

  @Get("namespaces/:namespace/tables")
  async list(@Req() request: FastifyRequest, @Query() query: Parameters, @Res() reply: FastifyReply): Promise<void> {
    const namespace = namespaceOf(request.raw.url ?? "");
    answerIdentifiers(reply, namespace, await this.#entries.list(namespace), query);
  }

  @Post("namespaces/:namespace/tables")
  async create(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { name, stage, request: wanted } = createTableAt(request.body);
    const identifier = { namespace: namespaceOf(request.raw.url ?? ""), name };
    if (stage) await this.#answers.sendStaged(request, reply, await this.#tables.stageCreate(identifier, wanted));
    else await this.#answers.send(request, reply, await this.#tables.create(identifier, wanted));
  }

  @Post("namespaces/:namespace/register")
  async register(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { name, metadataLocation, overwrite } = registerTableAt(request.body);
    const identifier = { namespace: namespaceOf(request.raw.url ?? ""), name };
    await this.#answers.send(request, reply, await this.#tables.register(identifier, metadataLocation, overwrite));
  }

  // Fastify makes a HEAD route of every GET route, unless there is one before it.
  @Head("namespaces/:namespace/tables/:table")
  async exists(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    answerEmpty(reply, (await this.#entries.exists(tableOf(request.raw.url ?? ""))) ? 204 : 404);
  }

  @Get("namespaces/:namespace/tables/:table")
  async load(@Req() request: FastifyRequest, @Query() query: Parameters, @Res() reply: FastifyReply): Promise<void> {
    const identifier = tableOf(request.raw.url ?? "");
    const snapshots = query["snapshots"]?.toLowerCase() ?? "all";
    if (snapshots !== "all" && snapshots !== "refs") throw shapeError("snapshots", "must be all or refs");
    const stored = await this.#entries.load(identifier);
    const etag = etagOf(stored.metadataLocation, snapshots);
    if (matchesEtag(request.headers["if-none-match"], etag)) {
      void reply.code(304).header("etag", etag).send();
      return;
    }
    await this.#answers.send(request, reply, stored, snapshots);
  }

  @Get("namespaces/:namespace/tables/:table/credentials")
  async credentials(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { metadata } = await this.#entries.load(tableOf(request.raw.url ?? ""));
    answerJson(reply, { "storage-credentials": await this.#answers.credentials(request, metadata) });
  }

  @Post("namespaces/:namespace/tables/:table")
  async commit(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const change = { identifier: tableOf(request.raw.url ?? ""), ...tableCommitAt(request.body, "") };
    await this.#answers.send(request, reply, await this.#tables.commit(change));
  }

  @Delete("namespaces/:namespace/tables/:table")
  async drop(@Req() request: FastifyRequest, @Query() query: Parameters, @Res() reply: FastifyReply): Promise<void> {
    const lastMetadata = await this.#entries.drop(tableOf(request.raw.url ?? ""));
    if (query["purgeRequested"]?.toLowerCase() === "true") await this.#purge.purge(lastMetadata);
    answerEmpty(reply);
  }

  /** Scan and commit reports of engines are counted, and not kept. */
  @Post("namespaces/:namespace/tables/:table/metrics")
  report(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.#reports.count(objectAt(request.body, "")["report-type"]);
    answerEmpty(reply);
  }

  @Post("tables/rename")
  async rename(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { source, destination } = renameAt(request.body);
    await this.#entries.rename(source, destination);
    answerEmpty(reply);
  }

  @Post("transactions/commit")
  async commitTransaction(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.#tables.commitTransaction(transactionAt(request.body));
    answerEmpty(reply);
  }
}
