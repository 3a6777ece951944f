import { Controller, Delete, Get, Head, Inject, Post, Query, Req, Res } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { viewCommitAt, type ViewMetadata } from "@firn/lake";
import type { EntryStore } from "../entry-store.ts";
import type { StoredView, ViewCatalog } from "../views/view-catalog.ts";
import { etagOf, matchesEtag } from "./etag.ts";
import { answerEmpty, loadResult } from "./json-answer.ts";
import { answerIdentifiers } from "./page.ts";
import { namespaceOf, tableOf } from "./request-path.ts";
import { renameAt } from "./table-requests.ts";
import { createViewAt, registerViewAt } from "./view-requests.ts";

export const VIEWS = Symbol("views");
export const VIEW_ENTRIES = Symbol("view entries");

@Controller("v1")
export class ViewController {
  readonly #views: ViewCatalog;
  readonly #entries: EntryStore<ViewMetadata>;

  constructor(@Inject(VIEWS) views: ViewCatalog, @Inject(VIEW_ENTRIES) entries: EntryStore<ViewMetadata>) {
    this.#views = views;
    this.#entries = entries;
  }

  @Get("namespaces/:namespace/views")
  async list(
    @Req() request: FastifyRequest,
    @Query() query: Record<string, string | undefined>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const namespace = namespaceOf(request.raw.url ?? "");
    answerIdentifiers(reply, namespace, await this.#entries.list(namespace), query);
  }

  @Post("namespaces/:namespace/views")
  async create(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { name, request: wanted } = createViewAt(request.body);
    const identifier = { namespace: namespaceOf(request.raw.url ?? ""), name };
    answerView(reply, await this.#views.create(identifier, wanted));
  }

  @Post("namespaces/:namespace/register-view")
  async register(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { name, metadataLocation } = registerViewAt(request.body);
    const identifier = { namespace: namespaceOf(request.raw.url ?? ""), name };
    answerView(reply, await this.#views.register(identifier, metadataLocation));
  }

  // Fastify makes a HEAD route of every GET route, unless there is one before it.
  @Head("namespaces/:namespace/views/:view")
  async exists(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    answerEmpty(reply, (await this.#entries.exists(tableOf(request.raw.url ?? ""))) ? 204 : 404);
  }

  @Get("namespaces/:namespace/views/:view")
  async load(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const stored = await this.#entries.load(tableOf(request.raw.url ?? ""));
    const etag = etagOf(stored.metadataLocation, "all");
    if (!matchesEtag(request.headers["if-none-match"], etag)) return answerView(reply, stored);
    void reply.code(304).header("etag", etag).send();
  }

  @Post("namespaces/:namespace/views/:view")
  async commit(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const commit = viewCommitAt(request.body, "");
    answerView(reply, await this.#views.commit(tableOf(request.raw.url ?? ""), commit));
  }

  @Delete("namespaces/:namespace/views/:view")
  async drop(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.#entries.drop(tableOf(request.raw.url ?? ""));
    answerEmpty(reply);
  }

  @Post("views/rename")
  async rename(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { source, destination } = renameAt(request.body);
    await this.#entries.rename(source, destination);
    answerEmpty(reply);
  }
}

function answerView(reply: FastifyReply, { json, metadataLocation }: StoredView): void {
  void reply
    .code(200)
    .header("etag", etagOf(metadataLocation, "all"))
    .type("application/json")
    .send(loadResult({ json, metadataLocation }));
}
